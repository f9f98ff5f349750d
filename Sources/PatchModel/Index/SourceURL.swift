/// Where an index of updates lies, or something that it names (contract §13): an `https:` or `file:` URL.
///
/// It has no character that means something to who fetches it, and no password, which messages would show.
public struct SourceURL: Hashable, Codable, Sendable, CustomStringConvertible {
    /// How it is reached. Nothing leads from one to the other.
    public enum Scheme: String, Codable, Sendable { case https, file }

    /// Bytes that one may have.
    public static let longest = 2048

    /// How it is reached.
    public let scheme: Scheme
    /// `host` or `host:port`; empty for a file.
    private let authority: String
    /// Begins with a slash.
    private let path: String
    /// With its question mark; empty for none.
    private let query: String

    /// A whole URL; nil where it is none that updates are fetched from.
    public init?(_ text: String) {
        guard Self.isClean(text) else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let scheme = Scheme(rawValue: parts[0].lowercased()) else { return nil }
        var rest = parts[1]
        var authority: Substring = ""
        if rest.hasPrefix("//") {
            authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" }
            rest = rest.dropFirst(2 + authority.count)
        }
        switch scheme {
        case .https: guard Self.isHost(authority) else { return nil }
        case .file: guard authority.isEmpty || authority == "localhost", !rest.isEmpty else { return nil }
        }
        self.init(scheme, scheme == .file ? "" : authority.lowercased(), rest)
    }

    private init?(_ scheme: Scheme, _ authority: String, _ rest: some StringProtocol) {
        let path = String(rest.prefix { $0 != "?" })
        guard path.isEmpty || path.hasPrefix("/") else { return nil }
        self.scheme = scheme
        self.authority = authority
        self.path = Self.withoutDots(path)
        query = String(rest.dropFirst(path.count))
    }

    /// What a text in the index at this URL names: a URL of the same scheme, or one relative to the index; nil for anything
    /// else.
    public func resolved(_ reference: String) -> SourceURL? {
        guard Self.isClean(reference) else { return nil }
        if let colon = reference.firstIndex(of: ":"), !reference[..<colon].contains(where: { "/?".contains($0) }) {
            return SourceURL(reference).flatMap { $0.scheme == scheme ? $0 : nil }
        }
        if reference.hasPrefix("//") { return SourceURL("\(scheme.rawValue):\(reference)") }
        if reference.hasPrefix("/") { return SourceURL(scheme, authority, reference) }
        if reference.hasPrefix("?") { return SourceURL(scheme, authority, path + reference) }
        let above = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return SourceURL(scheme, authority, above + reference)
    }

    /// Where the signature of what lies here is, unless somebody says otherwise.
    public var signature: SourceURL? { SourceURL(description + SignatureFile.suffix) }

    /// As it is fetched.
    public var description: String { "\(scheme.rawValue)://\(authority)\(path)\(query)" }

    /// RFC 3986, 5.2.4.
    private static func withoutDots(_ path: String) -> String {
        var parts: [Substring] = []
        let all = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in all.enumerated() {
            let isLast = index == all.count - 1
            switch part {
            case ".": if isLast { parts.append("") }
            case "..":
                _ = parts.popLast()
                if isLast { parts.append("") }
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    private static func isClean(_ text: String) -> Bool {
        (1...longest).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"\"#<>\\^`{|}".utf8.contains($0) }
    }

    private static func isHost(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "._-:[]".utf8.contains(byte)
            }
    }
}

/// One of `sources` in `patchd.yaml`.
public struct UpdateSource: Hashable, Codable, Sendable {
    /// Sources that a host may have.
    public static let most = 64

    /// Of its index.
    public var url: SourceURL
    /// Whether what it offers is fetched without being asked for.
    public var download = false

    /// One that is only looked at.
    public init(url: SourceURL) { self.url = url }
}
