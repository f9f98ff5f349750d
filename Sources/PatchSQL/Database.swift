public import PatchFiles
import PatchModel

/// A folder's database, found but not opened.
public protocol Database: Sendable {
    /// Files in the folder that belong to the database, relative to it: never a target of a patch.
    var files: [String] { get }

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

    /// The database that a URL of the configuration names.
    ///
    /// - Throws: with the code `database`: a kind that is not built, a file that is not where the URL says.
    public static func find(_ url: String, in folder: borrowing Directory) throws(SQLError) -> any Database {
        guard let colon = url.firstIndex(of: ":"), url[..<colon] == "sqlite" else {
            throw SQLError(.database, "use the database \"\(url.prefix { $0 != ":" }):\"", "only sqlite: is built")
        }
        let path = url[url.index(after: colon)...]
        // sqlite:///srv/app.db is sqlite:/srv/app.db
        return try SQLiteDatabase(String(path.hasPrefix("///") ? path.dropFirst(2) : path), in: folder)
    }
}
