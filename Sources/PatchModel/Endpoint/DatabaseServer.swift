/// A database on a server: `//user@host:port/db?name=value&…` (contract §12).
public struct DatabaseServer: Hashable, Sendable {
    /// One `name=value`.
    public struct Parameter: Hashable, Sendable {
        /// Before the `=`.
        public var name: String
        /// Behind it.
        public var value: String
    }

    /// Who logs in; nil: as the client library finds it.
    public let user: String?
    /// In small letters, an IPv6 address without brackets; nil: the local server.
    public let host: String?
    /// Nil: the engine's own.
    public let port: Int?
    /// The database, a path or an alias; empty where a `service` names it.
    public let database: String
    /// In their order.
    public let parameters: [Parameter]

    /// The schema that is the folder's; nil for the database as a whole.
    public var schema: String? { self["schema"] }

    /// - Parameters:
    ///   - text: what stands behind `SCHEME:`.
    ///   - parameters: the names that are known; nil: all, as the client library knows them.
    init(
        _ text: Substring, scheme: String, parameters known: [String]? = nil
    ) throws(DatabaseReference.Malformed) {
        func malformed(_ message: String) -> DatabaseReference.Malformed { .init(message: message) }
        let form = "names a database as \(scheme)://HOST/DATABASE or \(scheme):///DATABASE"
        guard text.hasPrefix("//") else { throw malformed(form) }
        let parts = text.dropFirst(2).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let (place, query) = (parts[0], parts.count > 1 ? parts[1] : "")
        guard let slash = place.firstIndex(of: "/") else { throw malformed(form) }
        var server = place[..<slash]
        if let at = server.lastIndex(of: "@") {
            let name = server[..<at]
            // It would stand in the configuration, in plans and in the environment of scripts.
            guard !name.contains(":") else {
                throw malformed("has a password; leave it to the client's own files of the owner (such as ~/.pgpass)")
            }
            user = try Self.decoded(name)
            server = server[server.index(after: at)...]
        } else {
            user = nil
        }
        (host, port) = try Self.address(server)
        parameters = try Self.parameters(query, known: known)
        database = try Self.decoded(place[place.index(after: slash)...])
        guard !database.isEmpty || parameters.contains(where: { ["service", "dbname"].contains($0.name) }) else {
            throw malformed(form)
        }
        if let tls = self["tls"], scheme != "postgresql", !["required", "verify"].contains(tls) {
            throw malformed("has tls=\(tls); it is required or verify")
        }
    }

    /// A parameter's value.
    public subscript(name: String) -> String? { parameters.last { $0.name == name }?.value }

    /// What two URLs of one database have in common.
    func identity(defaultPort: Int) -> [String] {
        let isLocal = { (host: String) in ["localhost", "127.0.0.1", "::1", ""].contains(host) }
        // Parameters override what stands in front of them.
        let host = self["hostaddr"] ?? self["host"] ?? self["socket"] ?? self.host ?? ""
        let port = self["port"] ?? "\(self.port ?? defaultPort)"
        return [
            isLocal(host) ? "" : host, port, self["dbname"] ?? database, self["service"] ?? "", schema ?? "",
        ]
    }

    private static func address(
        _ text: Substring
    ) throws(DatabaseReference.Malformed) -> (host: String?, port: Int?) {
        var (host, port) = (text, Substring())
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            port = text[text.index(after: end)...]
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[colon...]
        }
        let name = host.isEmpty ? nil : try decoded(host).lowercased()
        if port.isEmpty { return (name, nil) }
        guard port.hasPrefix(":"), let number = UInt16(port.dropFirst()), number > 0 else {
            throw .init(message: "has the port \"\(port.drop { $0 == ":" })\", which is no number from 1 to 65535")
        }
        return (name, Int(number))
    }

    private static func parameters(
        _ query: Substring, known: [String]?
    ) throws(DatabaseReference.Malformed) -> [Parameter] {
        var parameters: [Parameter] = []
        for part in query.split(separator: "&") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty else {
                throw .init(message: "has a parameter without a value: \"\(part)\"")
            }
            let name = try decoded(sides[0])
            guard name.lowercased() != "password" else {
                throw .init(message: "has a password; leave it to the client's own files of the owner")
            }
            guard known?.contains(name) ?? true else {
                let hint = Suggestion.hint(for: name, in: known ?? [])
                throw .init(message: "has the unknown parameter \"\(name)\"\(hint)")
            }
            parameters.append(Parameter(name: name, value: try decoded(sides[1])))
        }
        return parameters
    }

    /// A part of a URL without its `%XX`.
    private static func decoded(_ text: Substring) throws(DatabaseReference.Malformed) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: Array(rest.prefix(2)), as: UTF8.self), radix: 16),
                value >= 0x20
            else {
                throw .init(message: "has a \"%\" without two hexadecimal digits behind it, or a control character")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .init(message: "is not UTF-8") }
        return decoded
    }
}
