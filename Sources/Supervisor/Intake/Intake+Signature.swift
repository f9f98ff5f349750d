import Glibc
import PatchConfig
import PatchFiles
import PatchJSON
import PatchModel

/// Who signed a drop (contract §4). Whether it has to be signed, and with which keys it is checked, is decided when it is taken:
/// what was taken before stays what it was when keys change later.
extension Intake {
    /// What lies beside a drop as its signature.
    enum SignatureSidecar {
        case missing
        /// As far as it was written.
        case content([UInt8])
        /// It is none, and why.
        case bad(String)
        /// Somebody has it open.
        case open
    }

    private var directory: ConfigurationDirectory { ConfigurationDirectory(context.directories.configuration) }

    /// Whether what is taken now has to be signed.
    var isSignatureRequired: Bool {
        context.configuration.requiresSignature(hasSigners: directory.hasSigners)
    }

    /// Seconds for which a drop is left, because the signature that it needs may still come; nil for none.
    func waitsForSignature(of file: DroppedFile, in incoming: borrowing Directory) throws(FileError) -> Double? {
        guard isSignatureRequired else { return nil }
        try moveAsideStrangers(of: file, in: incoming)
        let settle = context.configuration.daemon.settle
        switch try signature(of: file, in: incoming) {
        case .open: return min(settle, 1)
        case .missing: return context.once ? nil : DroppedFile.rest(of: settle, since: file.status.changed)
        case .content(let bytes):
            if context.once || SignatureFile.isWhole(bytes) { return nil }
            let written = try incoming.status(file.name + SignatureFile.suffix)?.changed ?? 0
            return DroppedFile.rest(of: settle, since: max(written, file.status.changed))
        case .bad: return nil
        }
    }

    /// Looks at a drop's signature, and reads no more of it than a signature can have.
    func signature(of file: DroppedFile, in incoming: borrowing Directory) throws(FileError) -> SignatureSidecar {
        let name = file.name + SignatureFile.suffix
        guard let found = try incoming.status(name), maySign(for: file.status.uid, found.uid) else { return .missing }
        guard found.kind == .file else { return .bad("\"\(name)\" is no plain file") }
        guard found.size <= SignatureFile.limit else {
            return .bad("\"\(name)\" has more than \(SignatureFile.limit) bytes, which no signature has")
        }
        do throws(FileError) {
            let source = try incoming.file(name)
            guard try source.status() == found, source.nobodyWrites() != false else { return .open }
            let bytes = try source.read(limit: SignatureFile.limit)
            return try source.status() == found ? .content(bytes) : .open
        } catch {
            switch error.number {
            case ENOENT: return .missing
            case EAGAIN: return .open
            case ELOOP, ENXIO: return .bad("\"\(name)\" is no plain file")
            default: throw error
            }
        }
    }

    /// Whose file may be the signature of a user's drop: it speaks for itself, so that an approver may put it there, too.
    func maySign(for owner: UInt32, _ uid: UInt32) -> Bool {
        uid == owner || context.authorization.commands(of: uid) != .none
    }

    /// Keeps with a claim what its signature is to be checked with: the signature, the keys as they are now, and the time.
    func store(
        _ signature: SignatureSidecar, of claim: inout IntakeClaim, in own: borrowing Directory
    ) throws {
        let isRequired = isSignatureRequired
        claim.isSignatureRequired = isRequired
        if case .content(let bytes) = signature {
            let place = try own.ensureDirectory("signature", mode: 0o755)
            try place.replaceFile(SignatureFile.ofArchive, with: bytes, mode: 0o644)
            if isRequired { try storeKeys(of: &claim, in: place) }
        } else if isRequired {
            claim.signatureRefusal =
                if case .bad(let problem) = signature {
                    Refusal(.signatureInvalid, problem)
                } else {
                    Refusal(
                        .signatureMissing,
                        "this host takes signed archives only, and there is no \(claim.file)\(SignatureFile.suffix)")
                }
        }
    }

    private func storeKeys(of claim: inout IntakeClaim, in place: borrowing Directory) throws {
        let keys: SignerKeys
        do throws(SignerKeys.Failure) { keys = try directory.signerKeys(of: context.configuration) } catch {
            guard case .nobody(let problem) = error else {
                throw Fault(.io, "cannot take \(claim.file): \(error); it is tried again")
            }
            claim.signatureRefusal = Refusal(.signatureInvalid, problem)
            return
        }
        for (name, bytes) in keys.files(at: claim.at) { try place.replaceFile(name, with: bytes, mode: 0o644) }
    }

    /// Who signed what was taken; nil where it did not have to be signed.
    func signer(of claim: IntakeClaim, in own: borrowing Directory) throws -> String? {
        guard claim.isSignatureRequired == true else { return nil }
        if let refusal = claim.signatureRefusal { throw refusal }
        let path = own.path
        let verdict = try answer(SignatureVerdict.self, in: "signer.json", of: claim, in: own, limit: 1 << 20) {
            try context.workers.checkSignature(in: path, id: claim.id)
        }
        if let refusal = verdict.value?.refusal { throw refusal }
        if let problem = verdict.value?.problem {
            throw Fault(
                .io, "cannot check the signature of \(claim.file), which is kept and tried again: \(problem)")
        }
        guard let signer = verdict.value?.signer, !signer.isEmpty else {
            throw Refusal(
                .signatureInvalid, "the check of the signature ended without an answer (\(verdict.ended)) three times")
        }
        return signer
    }
}
