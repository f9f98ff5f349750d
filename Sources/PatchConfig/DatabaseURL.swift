import PatchModel

/// A folder's `database`.
struct DatabaseURL {
    /// As it was written.
    let text: String
    private let scheme: String
    private let rest: String

    private static let schemes = ["sqlite", "postgresql", "mariadb"]

    /// - Throws: ``InvalidValue`` when the scheme is another or the URL names no database.
    init(_ text: String) throws(InvalidValue) {
        guard let colon = text.firstIndex(of: ":") else {
            throw InvalidValue("is a URL that begins with sqlite:, postgresql: or mariadb:, not \"\(text)\"")
        }
        scheme = String(text[..<colon])
        guard Self.schemes.contains(scheme) else {
            let aliases = ["postgres": "postgresql", "pgsql": "postgresql", "mysql": "mariadb", "sqlite3": "sqlite"]
            let hint =
                aliases[scheme].map { "; did you mean \"\($0)\"?" }
                ?? Suggestion.hint(for: scheme, in: Self.schemes)
            throw InvalidValue("begins with sqlite:, postgresql: or mariadb:, not \"\(scheme):\"" + hint)
        }
        var rest = String(text[text.index(after: colon)...])
        guard !ScalarReader.hasControls(rest), !rest.contains(" ") else {
            throw InvalidValue("holds blanks or control characters")
        }
        if scheme == "sqlite" {
            // sqlite:///srv/app.db is sqlite:/srv/app.db
            if rest.hasPrefix("///") { rest.removeFirst(2) }
            do throws(InvalidValue) {
                _ = try CleanPath.folder(rest)
            } catch {
                throw InvalidValue("has a path that \(error.message)")
            }
        } else {
            guard rest.hasPrefix("//"), let slash = rest.dropFirst(2).firstIndex(of: "/"),
                let next = rest.index(slash, offsetBy: 1, limitedBy: rest.endIndex),
                !rest[next...].prefix(while: { $0 != "?" }).isEmpty
            else {
                throw InvalidValue("names a database as \(scheme)://HOST/DATABASE or \(scheme):///DATABASE")
            }
        }
        self.text = text
        self.rest = rest
    }

    /// The same text for two URLs of the same database; `folder` is the absolute path of the folder that has it.
    func identity(folder: String) -> String {
        guard scheme != "sqlite" else { return "sqlite:" + (rest.hasPrefix("/") ? rest : folder + "/" + rest) }
        let slash = rest.dropFirst(2).firstIndex(of: "/") ?? rest.endIndex
        var host = rest[..<slash].dropFirst(2)
        // The user who logs in does not change which database it is.
        if let at = host.lastIndex(of: "@") { host = host[host.index(after: at)...] }
        var server = host.lowercased()
        let port = scheme == "postgresql" ? ":5432" : ":3306"
        if server.hasSuffix(port) { server.removeLast(port.count) }
        if ["localhost", "127.0.0.1", "[::1]"].contains(server) { server = "" }
        var database = rest[slash...]
        // Only parameters that may lead to another database count.
        if let query = database.firstIndex(of: "?") {
            let elsewhere = ["host=", "port=", "hostaddr=", "socket=", "unix_socket="]
            if !elsewhere.contains(where: { database[query...].contains($0) }) { database = database[..<query] }
        }
        return "\(scheme)://\(server)\(database)"
    }
}
