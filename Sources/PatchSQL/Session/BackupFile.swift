import Glibc
import PatchFiles
import PatchModel

/// The file that a copy of a database is written to: private, and under its name only when it is whole and durable.
enum BackupFile {
    /// Writes one.
    ///
    /// - Parameter body: is given the descriptor of the new file.
    static func write(
        _ name: String, in directory: borrowing Directory, to doing: String, mode: String = "",
        _ body: (Int32) throws(SQLError) -> Void
    ) throws(SQLError) -> DatabaseBackup {
        let part = name + ".part"
        let file = try onFiles(doing) { () throws(FileError) in
            try directory.remove(part)
            return try directory.createFile(part)
        }
        do throws(SQLError) {
            try body(file.descriptor)
        } catch {
            try? directory.remove(part)
            throw error
        }
        return try onFiles(doing) { () throws(FileError) in
            try file.sync()
            let written = try directory.file(part)
            let backup = DatabaseBackup(
                name: name, size: try written.status().size, sha256: try written.sha256(), mode: mode)
            try directory.rename(part, to: directory, name)
            try directory.sync()
            return backup
        }
    }

    /// Opens one to be restored.
    ///
    /// - Throws: with the code `database` where it is not what was written.
    static func open(
        _ backup: DatabaseBackup, in directory: borrowing Directory, to doing: String
    ) throws(SQLError) -> File {
        try onFiles(doing) { () throws(FileError) in
            let file = try directory.file(backup.name)
            guard try file.status().size == backup.size, try file.sha256() == backup.sha256 else {
                throw FileError("use", "\"\(directory.path)/\(backup.name)\"", number: EBADMSG)
            }
            // Read from its beginning by somebody else.
            return try directory.file(backup.name)
        }
    }

    /// Turns what fails with files into what an admin can act on.
    static func onFiles<Value: ~Copyable>(
        _ doing: String, _ body: () throws(FileError) -> Value
    ) throws(SQLError) -> Value {
        do throws(FileError) {
            return try body()
        } catch {
            switch error.number {
            case ENOSPC, EDQUOT: throw SQLError(.space, doing, "\(error)", wayOut: "make room there")
            case EBADMSG:
                throw SQLError(
                    .database, doing, "the copy is not what was written: size or SHA-256 differ",
                    wayOut: "restore the database from another backup")
            default: throw SQLError(.io, doing, "\(error)")
            }
        }
    }
}
