import CSQLite
import Glibc
public import PatchFiles
import PatchModel

/// A folder's SQLite file, named by a `sqlite:` URL.
public struct SQLiteDatabase: Database {
    /// Absolute; no part below the folder, or below the directory that an absolute URL names, is a link.
    public let path: String
    /// The kind of its sessions.
    public var sessions: any Session.Type { SQLiteSession.self }
    private let exists: Bool

    /// Finds the file; creates and opens nothing.
    ///
    /// - Parameters:
    ///   - urlPath: what stands behind `sqlite:`; relative to the folder, or absolute.
    /// - Throws: with the code `database`: a link on the way below the folder, or something that is no plain file. That
    ///   there is nothing is no error before ``open(_:)``.
    public init(_ urlPath: String, in folder: borrowing Directory) throws(SQLError) {
        let (parent, name) = Directory.split(urlPath)
        let isAbsolute = urlPath.utf8.first == UInt8(ascii: "/")
        var place = urlPath
        do throws(FileError) {
            // Who may write the configuration may lead it over links; who owns the folder may not.
            let directory =
                if isAbsolute {
                    try Directory.open(parent.flatMap { $0.isEmpty ? nil : $0 } ?? "/")
                } else if let parent {
                    try folder.directory(parent)
                } else {
                    try folder.duplicate()
                }
            place = directory.path + "/" + name
            for file in [name] + DatabaseReference.sqliteSidecars.map({ name + $0 }) {
                guard let status = try directory.status(file), status.kind != .file else { continue }
                let kind = status.kind == .link ? "a link" : "no plain file"
                throw FileError("use", "\(directory.path)/\(file)\", which is \(kind), as \"database", number: EINVAL)
            }
            exists = try directory.status(name) != nil
            path = try Self.canonicalPath(of: directory) + "/" + name
        } catch {
            let isLink = error.number == ELOOP || error.number == EXDEV
            throw SQLError(
                .database, "find the database \"\(place)\"",
                isLink ? "a link is on the way, or it leads out of the folder" : "\(error)",
                wayOut: "correct \"database\" in the endpoint's configuration, or put the file there")
        }
    }

    /// Where a directory is now, without links: SQLite is told to follow none.
    static func canonicalPath(of directory: borrowing Directory) throws(FileError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/fd/\(directory.descriptor)", &buffer, buffer.count)
        guard count > 0 else { throw FileError("find the path of", directory.path) }
        let path = String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path == "/" ? "" : path
    }

    /// Opens a session.
    ///
    /// - Parameters:
    ///   - lockTimeout: seconds that a call waits for a lock, at the most.
    ///   - create: whether a missing file is created, empty.
    /// - Throws: with the code `database`: nothing there, no database, damaged, not readable or writable; `inUse`:
    ///   locked.
    public func open(lockTimeout: Double, create: Bool) throws(SQLError) -> any Session {
        guard exists || create else {
            throw SQLError(
                .database, "open the database \"\(path)\"", "there is no such file",
                wayOut: "create it, or take \"database\" out of the folder's configuration")
        }
        return try SQLiteSession(path, lockTimeout: lockTimeout, create: create)
    }
}
