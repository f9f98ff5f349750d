public import PatchModel

/// The keys that signatures are checked with, as the configuration directory has them at one instant.
public struct SignerKeys: Sendable {
    /// Why no signature can be checked.
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// Nobody may sign, so no archive counts as signed.
        case nobody(String)
        /// The files are there, or were, and cannot be read: nothing can be said about any archive.
        case unreadable(String)

        /// What is wrong, and the way out.
        public var description: String {
            switch self {
            case .nobody(let text), .unreadable(let text): text
            }
        }
    }

    /// Of `allowed_signers`.
    public let allowed: [UInt8]
    /// Of `revoked_keys`; nil where there is none.
    public let revoked: [UInt8]?

    /// Bytes that each of the files may have.
    static let limit = 16 << 20

    /// The files for who checks a signature by them, with the time at which keys have to be valid.
    public func files(at time: Timestamp) -> [(name: String, bytes: [UInt8])] {
        [(SignatureFile.allowedSigners, allowed), (SignatureFile.time, Array("\(time)".utf8))]
            + (revoked.map { [(SignatureFile.revokedKeys, $0)] } ?? [])
    }
}

extension ConfigurationDirectory {
    /// Whether there is a file `allowed_signers`, whatever is in it.
    public var hasSigners: Bool { ConfigurationFile.exists(place(SignatureFile.allowedSigners)) }

    /// Reads the keys. Unreadable, empty and missing files are never "no signature needed": who asks has decided before that
    /// one is.
    ///
    /// - Parameter configuration: the one in effect.
    public func signerKeys(of configuration: Configuration) throws(SignerKeys.Failure) -> SignerKeys {
        let file = place(SignatureFile.allowedSigners)
        guard let allowed = try keys(file) else {
            let wayOut = "put it back, or reload patchd to do without it"
            if configuration.hasSigners {
                throw .unreadable("\(file) is gone since the configuration was read; \(wayOut)")
            }
            throw .nobody("there is no \(file), so nobody may sign; add the key of whom archives are to be taken from")
        }
        guard AllowedSigners(allowed).hasLines else {
            throw .nobody("\(file) is empty, so nobody may sign; add the key of whom archives are to be taken from")
        }
        return SignerKeys(allowed: allowed, revoked: try keys(place(SignatureFile.revokedKeys)))
    }

    private func keys(_ file: String) throws(SignerKeys.Failure) -> [UInt8]? {
        do throws(ConfigurationFile.Failure) {
            return try ConfigurationFile.read(file, limit: SignerKeys.limit)
        } catch {
            throw .unreadable("cannot read \(file): \(error.message)")
        }
    }

    private func place(_ name: String) -> String { path + "/" + name }
}
