import Glibc
import PatchFiles
import PatchModel

/// The file that a database's dump program writes: durable, and under its name only when it is whole.
struct DumpFile {
    /// `copy the database "postgresql:///app" to "/srv/app/.patchd/…"`.
    let doing: String
    let name: String

    /// Makes it.
    ///
    /// - Parameters:
    ///   - size: bytes that it may have at the most, as far as the server can say.
    ///   - mode: kept with it.
    ///   - write: writes the dump to a descriptor, and throws where it is not whole.
    func make(
        in directory: borrowing Directory, size: UInt64, mode: String, write: (Int32) throws(SQLError) -> Void
    ) throws(SQLError) -> DatabaseBackup {
        let part = name + ".part"
        let file = try onFiles { () throws(FileError) in
            try directory.remove(part)
            return try directory.createFile(part)
        }
        do throws(SQLError) {
            try checkSpace(size, in: directory)
            try write(file.descriptor)
        } catch {
            try? directory.remove(part)
            throw error
        }
        return try onFiles { () throws(FileError) in
            try file.sync()
            let made = try directory.file(part)
            let backup = DatabaseBackup(
                name: name, size: try made.status().size, sha256: try made.sha256(), mode: mode)
            try directory.rename(part, to: directory, name)
            try directory.sync()
            return backup
        }
    }

    private func checkSpace(_ size: UInt64, in directory: borrowing Directory) throws(SQLError) {
        let free = try onFiles { () throws(FileError) in try directory.availableSpace() }
        guard free < size else { return }
        throw SQLError(
            .space, doing, "up to \(size >> 20) MB needed, \(free >> 20) MB free", wayOut: "make room there")
    }

    /// Opens one to be restored.
    ///
    /// - Throws: with the code `database` when it is not the file that was made.
    static func open(
        _ backup: DatabaseBackup, in directory: borrowing Directory, _ doing: String
    ) throws(SQLError) -> File {
        let own = DumpFile(doing: doing, name: backup.name)
        return try own.onFiles { () throws(FileError) in
            let file = try directory.file(backup.name)
            guard try file.status().size == backup.size, try file.sha256() == backup.sha256 else {
                throw FileError("use", "\(directory.path)/\(backup.name)", number: EBADMSG)
            }
            return file
        }
    }

    private func onFiles<Value: ~Copyable>(_ body: () throws(FileError) -> Value) throws(SQLError) -> Value {
        try Self.onFiles(doing, body)
    }

    /// Does something to a copy's file, and says what an admin can do where that fails.
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
