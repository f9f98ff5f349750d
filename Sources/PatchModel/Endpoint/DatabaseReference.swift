/// A folder's database, parsed from the key `database` (contract §12).
public struct DatabaseReference: Hashable, Sendable, CustomStringConvertible {
    /// Which engine, and where.
    public enum Engine: Hashable, Sendable {
        /// A file, relative to the folder or absolute.
        case sqlite(path: String)
        /// `postgresql://user@host:port/db?sslmode=…`; parameters are libpq's, and `schema`.
        case postgresql(DatabaseServer)
        /// `mariadb://user@host:port/db?socket=…&tls=…`.
        case mariadb(DatabaseServer)
        /// `firebird://user@host:port//absolute/path` or `…/alias`.
        case firebird(DatabaseServer)
        /// `firebird:/path`: a file that no server has open.
        case embeddedFirebird(path: String)
        /// Any text: what it means, the endpoint's command `sql` knows.
        case foreign
    }

    /// Why a text names no database; continues a sentence that begins with the key.
    public struct Malformed: Error, Hashable, Sendable {
        /// `is a URL that begins with …`.
        public var message: String
    }

    /// As it was written: what scripts get as `PATCHD_DATABASE_URL`. It holds no password.
    public let description: String
    /// Which engine, and where.
    public let engine: Engine

    /// The schemes, in the order in which messages name them.
    public static let schemes = ["sqlite", "postgresql", "mariadb", "firebird"]

    /// A database that only the endpoint's command `sql` knows.
    public init(foreign text: String) {
        description = text
        engine = .foreign
    }

    /// Reads a URL.
    ///
    /// - Throws: ``Malformed``.
    public init(_ text: String) throws(Malformed) {
        let known = "\(Self.schemes.dropLast().map { $0 + ":" }.joined(separator: ", ")) or \(Self.schemes.last ?? ""):"
        guard let colon = text.firstIndex(of: ":") else {
            throw Malformed(message: "is a URL that begins with \(known), not \"\(text)\"")
        }
        guard text.utf8.allSatisfy({ $0 > UInt8(ascii: " ") && $0 != 0x7F }) else {
            throw Malformed(message: "holds blanks or control characters")
        }
        description = text
        let scheme = String(text[..<colon])
        let rest = text[text.index(after: colon)...]
        switch scheme {
        // sqlite:///srv/app.db is sqlite:/srv/app.db
        case "sqlite": engine = .sqlite(path: try Self.path(rest.hasPrefix("///") ? rest.dropFirst(2) : rest))
        case "firebird" where !rest.hasPrefix("//"):
            engine = .embeddedFirebird(path: try Self.path(rest, isAbsolute: true))
        case "postgresql": engine = .postgresql(try DatabaseServer(rest, scheme: scheme))
        case "mariadb": engine = .mariadb(try DatabaseServer(rest, scheme: scheme, parameters: ["socket", "tls"]))
        case "firebird": engine = .firebird(try DatabaseServer(rest, scheme: scheme, parameters: ["socket", "tls"]))
        default:
            let aliases = ["postgres": "postgresql", "pgsql": "postgresql", "mysql": "mariadb", "sqlite3": "sqlite"]
            let hint =
                aliases[scheme].map { "; did you mean \"\($0)\"?" } ?? Suggestion.hint(for: scheme, in: Self.schemes)
            throw Malformed(message: "begins with \(known), not \"\(scheme):\"\(hint)")
        }
    }

    /// A clean path, so that two texts of one file are equal.
    private static func path(_ text: Substring, isAbsolute: Bool = false) throws(Malformed) -> String {
        guard !isAbsolute || text.hasPrefix("/") else {
            throw Malformed(message: "has a path that is relative; write firebird:/PATH, or firebird://HOST/DATABASE")
        }
        let relative = text.hasPrefix("/") ? text.dropFirst() : text
        guard !relative.isEmpty else { throw Malformed(message: "has a path that is empty") }
        guard text.utf8.count < 4096 else { throw Malformed(message: "has a path that is longer than a path can be") }
        for component in relative.split(separator: "/", omittingEmptySubsequences: false) {
            switch component {
            case "": throw Malformed(message: "has a path that has a \"/\" too many: \"\(text)\"")
            case ".", "..":
                throw Malformed(message: "has a path that is written without \".\" and \"..\", not \"\(text)\"")
            default:
                guard component.utf8.count <= EntryName.maximumComponent else {
                    throw Malformed(message: "has a path with a component of more than 255 bytes: \"\(text)\"")
                }
            }
        }
        return String(text)
    }
}

extension DatabaseReference {
    /// `sqlite`, `postgresql`, `mariadb` or `firebird`; empty for one that patchd does not speak.
    public var scheme: String {
        switch engine {
        case .sqlite: "sqlite"
        case .postgresql: "postgresql"
        case .mariadb: "mariadb"
        case .firebird, .embeddedFirebird: "firebird"
        case .foreign: ""
        }
    }

    /// What scripts get as `PATCHD_DATABASE_URL`: every libpq reads it, which knows no `schema`.
    public var forScripts: String {
        guard case .postgresql(let server) = engine, let schema = server.schema,
            let question = description.firstIndex(of: "?")
        else { return description }
        let others = description[description.index(after: question)...].split(separator: "&")
            .filter { !$0.hasPrefix("schema=") }
        // Within `options`, a blank and a backslash have a backslash in front.
        let path = "\"\(schema.replacing("\"", with: "\"\""))\",public"
        let options = "-csearch_path=\(path.replacing("\\", with: "\\\\").replacing(" ", with: "\\ "))"
        let encoded = options.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                return String(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                return "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }.joined()
        return description[...question] + (others.map(String.init) + ["options=\(encoded)"]).joined(separator: "&")
    }

    /// Another database on the same server, reached in the same way.
    ///
    /// - Parameter name: letters, digits, `_` and `-`.
    /// - Returns: nil for one that is a file.
    public func named(database name: String) -> DatabaseReference? {
        switch engine {
        case .sqlite, .embeddedFirebird, .firebird, .foreign: return nil
        case .postgresql, .mariadb: break
        }
        let parts = description.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = parts[0]
        guard let slashes = place.firstRange(of: "//"), let slash = place[slashes.upperBound...].firstIndex(of: "/")
        else { return nil }
        // It would win over what stands in front of it.
        let query = (parts.count > 1 ? parts[1] : "").split(separator: "&").filter { !$0.hasPrefix("dbname=") }
        let rest = query.isEmpty ? "" : "?" + query.joined(separator: "&")
        return try? DatabaseReference("\(place[...slash])\(name)\(rest)")
    }

    /// The path of a database that is a file which patchd opens itself, relative to the folder or absolute; nil for one on a
    /// server.
    public var file: String? {
        switch engine {
        case .sqlite(let path), .embeddedFirebird(let path): path
        case .postgresql, .mariadb, .firebird, .foreign: nil
        }
    }

    /// What SQLite keeps beside a database.
    public static let sqliteSidecars = ["-journal", "-wal", "-shm"]

    /// The database's own files as far as they lie in the folder, relative to it: they are never a target of a patch.
    ///
    /// - Parameter folder: the folder's absolute path.
    public func files(in folder: String) -> [ExactText] {
        guard let path = file else { return [] }
        let place = ExactText(path)
        guard let relative = path.hasPrefix("/") ? place.relative(to: ExactText(folder)) : place else { return [] }
        let sidecars = scheme == "sqlite" ? Self.sqliteSidecars : []
        return ([""] + sidecars).map { ExactText(bytes: relative.bytes + Array($0.utf8)) }
    }

    /// The database itself, apart from how it is reached and who logs in: equal for two references of one database. Of what
    /// patchd does not speak, that is the text; who compares adds the command that reads it.
    ///
    /// - Parameter folder: the absolute path of the folder that has it.
    public func identity(in folder: String) -> [String] {
        switch engine {
        case .sqlite(let path): ["sqlite", path.hasPrefix("/") ? path : folder + "/" + path]
        case .postgresql(let server): ["postgresql"] + server.identity(defaultPort: 5432)
        case .mariadb(let server): ["mariadb"] + server.identity(defaultPort: 3306)
        case .firebird(let server): ["firebird"] + server.identity(defaultPort: 3050)
        case .embeddedFirebird(let path): ["firebird", path]
        case .foreign: ["sql", description]
        }
    }
}

extension DatabaseReference: Codable {
    /// What stands in front of a text that is no URL.
    private static let foreign = "sql:"

    /// Reads what ``encode(to:)`` wrote.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        if text.hasPrefix(Self.foreign) {
            self.init(foreign: String(text.dropFirst(Self.foreign.count)))
            return
        }
        do throws(Malformed) {
            try self.init(text)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "the database \(error.message)"))
        }
    }

    /// The URL as it was written; for no URL, the text behind what is none's scheme.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(engine == .foreign ? Self.foreign + description : description)
    }
}
