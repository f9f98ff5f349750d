/// A text that equals only a text with the same bytes.
///
/// Swift's own texts are equal when they are canonically equivalent, and split and search by grapheme cluster: two file
/// names in different Unicode form would be one key, and a `/` before a combining mark would be no separator. Paths are
/// bytes to the system, so every set, dictionary and cut of paths goes through this type.
public struct ExactText: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// In UTF-8.
    public let bytes: [UInt8]

    /// The text's bytes.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// Bytes that should be UTF-8; others are shown with replacement characters.
    public init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// As text.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    /// Bytewise.
    public static func < (left: ExactText, right: ExactText) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// The parts between the slashes.
    public var components: [ArraySlice<UInt8>] {
        bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    }

    /// Whether this path is below a directory; a path is not below itself.
    public func isBelow(_ directory: ExactText) -> Bool {
        let count = directory.bytes.count
        return bytes.count > count + 1 && bytes[count] == UInt8(ascii: "/") && bytes.starts(with: directory.bytes)
    }

    /// The path relative to a directory above it; nil where it is not below that.
    public func relative(to directory: ExactText) -> ExactText? {
        isBelow(directory) ? ExactText(bytes: bytes[(directory.bytes.count + 1)...]) : nil
    }

    /// The directories above, outermost first: `a/b/c` has `a` and `a/b`.
    public var parents: [ExactText] {
        bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") }.map { ExactText(bytes: bytes[..<$0]) }
    }
}
