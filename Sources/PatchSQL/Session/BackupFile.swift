import Glibc
import PatchFiles
import PatchModel

/// The file of a backup: it has its name only once it is whole and durable.
struct BackupFile {
    /// What is being done, for messages.
    let doing: String

    /// Makes a backup.
    ///
    /// - Parameters:
    ///   - size: bytes that it will have, about; compared with the free space first.
    ///   - mode: see ``DatabaseBackup/mode``.
    ///   - write: fills the file, and throws where it is not complete.
    func make(
        _ name: String, in directory: borrowing Directory, size: UInt64, mode: String = "",
        write: (borrowing File) throws(SQLError) -> Void
    ) throws(SQLError) -> DatabaseBackup {
        let part = name + ".part"
        let free = try onFiles { () throws(FileError) in
            try directory.remove(part)
            return try directory.availableSpace()
        }
        guard free > size else {
            throw SQLError(
                .space, doing, "it needs about \(size) bytes, and \(free) are free in \(directory.path)",
                wayOut: "make room there, or set \"backup: none\"")
        }
        let file = try onFiles { () throws(FileError) in try directory.createFile(part) }
        do throws(SQLError) {
            try write(file)
        } catch {
            try? directory.remove(part)
            throw error
        }
        return try onFiles { () throws(FileError) in
            try file.sync()
            let backup = DatabaseBackup(
                name: name, size: try file.status().size, sha256: try file.sha256(), mode: mode)
            try directory.rename(part, to: directory, name)
            try directory.sync()
            return backup
        }
    }

    /// Opens a backup, if it is the file that was made.
    func open(_ backup: DatabaseBackup, in directory: borrowing Directory) throws(SQLError) -> File {
        try onFiles { () throws(FileError) in
            let file = try directory.file(backup.name)
            guard try file.status().size == backup.size, try file.sha256() == backup.sha256 else {
                throw FileError("use", "\"\(directory.path)/\(backup.name)\"", number: EBADMSG)
            }
            return file
        }
    }

    private func onFiles<Value: ~Copyable>(
        _ body: () throws(FileError) -> Value
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
