import Glibc
import PatchModel

/// What an admin has to know of the files that signatures are checked with; none of it keeps the configuration from being loaded.
extension ConfigurationDirectory {
    /// Warnings for `config check`.
    public func signerWarnings(of configuration: Configuration) -> [ConfigurationProblem] {
        let hasSigners = hasSigners
        guard configuration.requiresSignature(hasSigners: hasSigners) else {
            guard hasSigners else { return [] }
            return [Self.warning(SignatureFile.allowedSigners, "it is not used: patchd.yaml has \"signature: off\"")]
        }
        var warnings: [ConfigurationProblem] = []
        do throws(SignerKeys.Failure) {
            warnings += AllowedSigners(try signerKeys(of: configuration).allowed).problems.map { problem in
                ConfigurationProblem(
                    file: SignatureFile.allowedSigners, line: problem.line, column: 1,
                    message: "ssh-keygen passes this line over: \(problem.message)")
            }
        } catch {
            warnings.append(Self.warning(SignatureFile.allowedSigners, "every archive is refused: \(error)"))
        }
        for name in [".", SignatureFile.allowedSigners, SignatureFile.revokedKeys] {
            if let problem = writers(of: name) { warnings.append(Self.warning(name, problem)) }
        }
        return warnings
    }

    /// Who besides root may change whom archives are believed from; nil for nobody.
    private func writers(of name: String) -> String? {
        var status = stat()
        guard stat(path + "/" + name, &status) == 0 else { return nil }
        let wayOut = "who can change it decides whose archives are taken; chown root, and chmod go-w"
        if status.st_uid != 0, status.st_uid != geteuid() { return "it is the user \(status.st_uid)'s: \(wayOut)" }
        if status.st_mode & 0o022 != 0 { return "others than its owner may write to it: \(wayOut)" }
        return nil
    }

    private static func warning(_ file: String, _ message: String) -> ConfigurationProblem {
        ConfigurationProblem(file: file, line: 0, column: 0, message: message)
    }
}
