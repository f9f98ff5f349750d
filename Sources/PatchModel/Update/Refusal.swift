/// Why an archive, its options or a request is not accepted, as in the contract's list of codes.
public enum RefusalCode: String, Codable, CaseIterable, Sendable {
    case notAFile, incomplete, signatureMissing, signatureInvalid, archiveMalformed, archiveEncrypted, archiveMethod
    case entryType, entryName, entryDuplicate, entryChecksum, limitExceeded, manifestMissing, manifestInvalid
    case contentUndeclared, contentMissing, optionsInvalid, notAccepted
}

/// An archive or its options are refused; nothing has been touched.
public struct Refusal: Error, Hashable, Codable, Sendable, CustomStringConvertible {
    /// The contract's code.
    public var code: RefusalCode
    /// Where: an entry's name, `update.json: patches[1].path`, or empty for the archive as a whole.
    public var place: String
    /// What is wrong and, where it helps, what would be right.
    public var reason: String

    /// A refusal at a place.
    public init(_ code: RefusalCode, at place: String = "", _ reason: String) {
        self.code = code
        self.place = place
        self.reason = reason
    }

    /// `place: reason`, for people.
    public var description: String { place.isEmpty ? reason : "\(place): \(reason)" }
}

/// One line of `lint`.
public struct Finding: Hashable, Codable, Sendable {
    /// Whether the archive would be refused for it.
    public enum Level: String, Codable, Sendable { case error, warning }

    /// Errors refuse, warnings do not.
    public var level: Level
    /// A ``RefusalCode`` or, for warnings, `nameCollision`, `scriptIgnored`, `noDowngrade` or `typeUnknown`.
    public var code: String
    /// As in ``Refusal/place``.
    public var place: String
    /// For people.
    public var message: String

    /// A warning.
    public static func warning(_ code: String, at place: String, _ message: String) -> Finding {
        Finding(level: .warning, code: code, place: place, message: message)
    }

    /// The finding for a refusal.
    public init(_ refusal: Refusal) {
        self.init(level: .error, code: refusal.code.rawValue, place: refusal.place, message: refusal.reason)
    }

    /// Memberwise.
    public init(level: Level, code: String, place: String, message: String) {
        self.level = level
        self.code = code
        self.place = place
        self.message = message
    }
}
