import CSQLite
import Glibc
import PatchFiles
import PatchModel

extension SQLiteSession {
    func backUp(
        to directory: borrowing Directory, as name: String, onUnchecked: ([String]) -> Void,
        onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseBackup {
        let doing = "copy the database \"\(path)\" to \"\(directory.path)/\(name)\""
        let part = name + ".part"
        let mode = try translating("read") { () throws(SQLiteFailure) in try connection.value("PRAGMA journal_mode") }
        let made = try DumpFile.onFiles(doing) { () throws(FileError) in
            try discard(part, in: directory)
            // Ours alone, before SQLite writes the first byte.
            _ = try directory.createFile(part)
            return try SQLiteDatabase.canonicalPath(of: directory) + "/" + part
        }
        do throws(SQLiteFailure) {
            onUnchecked(try writeCopy(to: made))
        } catch {
            try? discard(part, in: directory)
            throw SQLiteErrors(path: path).error(error, doing, blockers: blockers)
        }
        return try DumpFile.onFiles(doing) { () throws(FileError) in
            // Only now: SQLite has closed the file, and closing it ourselves would have dropped SQLite's locks.
            let backup = try seal(part, in: directory, name: name, mode: mode)
            try directory.rename(part, to: directory, name)
            try directory.sync()
            return backup
        }
    }

    func size() throws(SQLError) -> UInt64 {
        let values = try translating("read") { () throws(SQLiteFailure) in
            [try connection.value("PRAGMA page_count"), try connection.value("PRAGMA page_size")]
        }
        return values.reduce(1) { $0 * (UInt64($1) ?? 0) }
    }

    private func discard(_ part: String, in directory: borrowing Directory) throws(FileError) {
        for file in [part, part + "-journal"] { try directory.remove(file) }
    }

    private func seal(
        _ part: String, in directory: borrowing Directory, name: String, mode: String
    ) throws(FileError) -> DatabaseBackup {
        let file = try directory.file(part)
        try file.sync()
        return DatabaseBackup(name: name, size: try file.status().size, sha256: try file.sha256(), mode: mode)
    }

    /// - Returns: what could not be checked in the copy, and why.
    private func writeCopy(to path: String) throws(SQLiteFailure) -> [String] {
        let copy = try SQLiteConnection(path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, lockTimeout: 0)
        try copy.copy(from: connection)
        // One file, whatever the mode of the database is.
        try copy.run("PRAGMA journal_mode = DELETE")
        // A copy that is put back must not say that the folder is locked.
        if try !copy.value("SELECT 1 FROM sqlite_schema WHERE name = 'patchd_revision'").isEmpty {
            try copy.run("DELETE FROM patchd_revision")
        }
        return try copy.findDamage()
    }

    func restore(
        _ backup: DatabaseBackup, from directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError) {
        let place = "\"\(directory.path)/\(backup.name)\""
        let doing = "restore the database \"\(path)\" from \(place)"
        let source = try DumpFile.onFiles(doing) { () throws(FileError) in
            let file = try directory.file(backup.name)
            guard try file.status().size == backup.size, try file.sha256() == backup.sha256 else {
                throw FileError("use", place, number: EBADMSG)
            }
            return try SQLiteDatabase.canonicalPath(of: directory) + "/" + backup.name
        }
        try translating("restore \(place)", alone: true) { () throws(SQLiteFailure) in
            let copy = try SQLiteConnection(source, flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, lockTimeout: 0)
            // With a WAL, pages of another size could not be copied.
            try connection.run("PRAGMA journal_mode = DELETE")
            try connection.copy(from: copy)
            try connection.run("PRAGMA journal_mode = \(backup.mode)")
        }
        // What this session knew of the database is gone.
        try reconnect()
    }
}
