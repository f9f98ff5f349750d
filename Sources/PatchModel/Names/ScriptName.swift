/// The name of a script in `upgrades/` or `downgrades/`, with the version it is for: `3.0.3~a.sql`,
/// `0.9.1_migrationldap.php` (contract §4).
public struct ScriptName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The interpreter, in the order in which scripts of one version run.
    public enum Kind: String, CaseIterable, Sendable { case sql, sh, php }

    /// The file's name.
    public let description: String
    /// The leading `\d+(\.\d+)*(~[0-9a-z]+)?`.
    public let version: Version
    /// From the extension.
    public let kind: Kind

    /// Nil for every other name; such files are ignored, with a warning. Case counts: `.SQL` is another name.
    public init?(_ name: String) {
        var rest = Substring(name).utf8
        guard
            let kind = Kind.allCases.first(where: {
                Array(rest).reversed().starts(with: ".\($0.rawValue)".utf8.reversed())
            }),
            let length = Self.versionLength(Array(rest))
        else { return nil }
        rest = rest.dropFirst(length)
        // Either the extension follows, or a remark that ends with the extension.
        let isRemark = rest.first == UInt8(ascii: "_") || rest.first == UInt8(ascii: "-")
        guard isRemark || rest.elementsEqual(".\(kind.rawValue)".utf8),
            let version = Version(String(decoding: name.utf8.prefix(length), as: UTF8.self))
        else { return nil }
        description = name
        self.version = version
        self.kind = kind
    }

    /// Ascending version, then `.sql`, `.sh`, `.php`, then by name (bytewise).
    public static func < (left: ScriptName, right: ScriptName) -> Bool {
        if left.version != right.version { return left.version < right.version }
        if left.kind != right.kind { return left.kind.rank < right.kind.rank }
        return left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }

    /// The length of the version at the front in bytes; nil where there is none.
    private static func versionLength(_ bytes: [UInt8]) -> Int? {
        func end(from start: Int, while accepts: (UInt8) -> Bool) -> Int {
            bytes[start...].firstIndex { !accepts($0) } ?? bytes.count
        }
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

        var length = end(from: 0, while: isDigit)
        guard length > 0 else { return nil }
        while length < bytes.count, bytes[length] == UInt8(ascii: ".") {
            let next = end(from: length + 1, while: isDigit)
            if next == length + 1 { break }
            length = next
        }
        if length < bytes.count, bytes[length] == UInt8(ascii: "~") {
            let next = end(from: length + 1) { isDigit($0) || (0x61...0x7A).contains($0) }
            if next > length + 1 { length = next }
        }
        return length
    }
}

extension ScriptName.Kind {
    /// Its position among the scripts of one version.
    fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
