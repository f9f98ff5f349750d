import PatchConfig
import PatchFiles
import PatchModel

/// Looks at the signature beside an archive as the daemon would, where this host's configuration asks for one.
struct SignatureLook {
    let configuration: Configuration
    let directory: ConfigurationDirectory

    init(_ configuration: Configuration, in directories: Directories) {
        self.configuration = configuration
        directory = ConfigurationDirectory(directories.configDir)
    }

    var isRequired: Bool { configuration.requiresSignature(hasSigners: directory.hasSigners) }

    /// Says that the daemon will not take an archive as it is, where that can be known here.
    static func noteMissing(_ signature: [UInt8]?, of file: String, _ directories: Directories) {
        guard signature == nil, let configuration = try? directories.configuration(),
            SignatureLook(configuration, in: directories).isRequired
        else { return }
        Notes.line("this host takes signed archives only, and there is no \(file)\(SignatureFile.suffix)")
    }

    /// Who signed an archive; nil where that does not matter here.
    ///
    /// - Parameter signature: nil where none lies beside it.
    /// - Throws: ``Refusal`` where the daemon would refuse it, ``Failure`` where it cannot be checked.
    func signer(
        of archive: borrowing File, _ signature: [UInt8]?, called file: String, _ worker: borrowing Worker
    ) throws -> String? {
        guard isRequired else { return nil }
        guard let signature else {
            throw Refusal(
                .signatureMissing,
                "this host takes signed archives only, and there is no \(file)\(SignatureFile.suffix)")
        }
        let keys: SignerKeys
        do throws(SignerKeys.Failure) { keys = try directory.signerKeys(of: configuration) } catch {
            guard case .nobody(let problem) = error else { throw Failure("cannot check the signature: \(error)") }
            throw Refusal(.signatureInvalid, problem)
        }
        let verdict = try worker.signer(of: archive, signature, keys)
        if let refusal = verdict.refusal { throw refusal }
        guard let signer = verdict.signer else {
            throw Failure("cannot check the signature: \(verdict.problem ?? "the check came to no verdict")")
        }
        return signer
    }
}
