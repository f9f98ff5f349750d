/// What `patchd-worker signature` answers: who signed an archive, or why its signature does not count.
public struct SignatureVerdict: Codable, Sendable {
    /// The form of this file.
    public var schema = 1
    /// The principal in `allowed_signers`; nil where the signature does not count.
    public var signer: String?
    /// Set when the archive is refused for its signature.
    public var refusal: Refusal?
    /// Set when this host could not check it, which says nothing about the archive.
    public var problem: String?

    /// The signature is good.
    public init(signer: String) { self.signer = signer }

    /// The archive is refused.
    public init(_ refusal: Refusal) { self.refusal = refusal }

    /// It could not be checked.
    public init(problem: String) { self.problem = problem }
}

/// What a signature is checked with. The files have these names wherever they are: in the configuration directory, and where a
/// reader finds its copies of them.
public enum SignatureFile {
    /// Whom archives are believed from.
    public static let allowedSigners = "allowed_signers"
    /// Keys that count no more; optional.
    public static let revokedKeys = "revoked_keys"
    /// A stored archive's signature, beside it.
    public static let ofArchive = "archive.zip.sig"
    /// When the archive was taken: keys have to be valid then.
    public static let time = "time"
    /// What a signature's name has behind the archive's.
    public static let suffix = ".sig"
    /// Bytes that a signature may have; one by a certificate has a few thousand.
    public static let limit = 64 << 10
    /// The last line of a signature that is whole.
    public static let end = "-----END SSH SIGNATURE-----"

    /// Whether a signature was written to its end. Nothing more is believed of it.
    public static func isWhole(_ bytes: [UInt8]) -> Bool {
        let text = bytes.reversed().drop { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        return text.starts(with: end.utf8.reversed())
    }
}
