public import PatchFiles
public import PatchModel

/// A folder's database, found but not opened.
public protocol Database: Sendable {
    /// The kind of its sessions: its dialect, and what is wrong with a script for it, are known without one.
    var sessions: any Session.Type { get }

    /// Opens a session in which nothing waits longer than `lockTimeout` seconds for a lock.
    ///
    /// - Parameter create: whether a missing database is created, where one can be.
    /// - Throws: with the code `database` where there is none or it cannot be used, `inUse` where it is locked.
    func open(lockTimeout: Double, create: Bool) throws(SQLError) -> any Session
}

/// Databases by their URLs.
public enum Databases {
    /// Seconds that a call waits for a lock where nobody says otherwise. Short, because what is in the way is looked
    /// for and asked to leave, which waiting does not do.
    public static let lockTimeout = 2.0

    /// The database that the configuration names. Each engine has one case here and one folder beside this file.
    ///
    /// - Throws: with the code `database`: a client library that is not installed, a file that
    ///   is not where the reference says.
    public static func find(
        _ reference: DatabaseReference, in folder: borrowing Directory, as login: DatabaseLogin
    ) throws(SQLError) -> any Database {
        switch reference.engine {
        case .sqlite(let path): return try SQLiteDatabase(path, in: folder)
        case .postgresql(let server):
            return try PostgreSQLDatabase(server, url: reference.description, as: login)
        case .mariadb(let server): return try MariaDBDatabase(server, as: login)
        case .firebird(let server): return try FirebirdDatabase(server, login)
        case .embeddedFirebird(let path): return try FirebirdDatabase(file: path, login)
        case .foreign:
            throw SQLError(
                .database, "open the database \"\(reference)\"", "patchd does not speak it",
                wayOut: "name the command that runs its scripts (sql) in the endpoint's configuration")
        }
    }
}

/// How patchd logs in to a server.
public struct DatabaseLogin: Hashable, Sendable {
    /// `ENDPOINT/FOLDER`: whom its sessions are for, shown to the server's administrators.
    public var name: String
    /// Nil: as the engine's own tools find them.
    public var credentials: Credentials?

    /// A login from its parts.
    public init(name: String, credentials: Credentials? = nil) {
        self.name = name
        self.credentials = credentials
    }
}
