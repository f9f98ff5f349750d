import Glibc
import PatchFiles
import PatchModel

/// Copies are gbak's: a file that any version of the server can restore.
extension FirebirdSession {
    private func gbak() -> DumpProgram {
        let locks = getenv(FirebirdLocks.name).map { ["\(FirebirdLocks.name)=\(String(cString: $0))"] } ?? []
        return DumpProgram(name: "gbak", package: "firebird3.0-utils", environment: address.environment + locks)
    }

    func backUp(
        to directory: borrowing Directory, as name: String, onUnchecked: ([String]) -> Void
    ) throws(SQLError) -> DatabaseBackup {
        let doing = "copy the database \"\(address.name)\" to \"\(directory.path)/\(name)\""
        let size = try query("SELECT MON$PAGES * CAST(MON$PAGE_SIZE AS bigint) FROM MON$DATABASE", []).first?[0]
        try SpaceCheck.check(directory, needs: size.flatMap { UInt64($0) } ?? 0, to: doing)
        // The engine that another process runs cannot open the file while this one has it open.
        let isAlone = address.file != nil
        if isAlone { detach() }
        let backup = try BackupFile.write(name, in: directory, to: doing) { (file) throws(SQLError) in
            try gbak().run(
                // A copy that is put back must not say that the folder is locked. Garbage is left to the server.
                ["-b", "-g", "-skip_data", "PATCHD_REVISION", address.text, "stdout"], to: doing, output: file,
                shouldEnd: shouldEnd)
        }
        if isAlone { try reconnect() }
        return backup
    }

    func restore(_ backup: DatabaseBackup, from directory: borrowing Directory) throws(SQLError) {
        let doing = "restore the database \"\(address.name)\" from \"\(directory.path)/\(backup.name)\""
        let file = try BackupFile.open(backup, in: directory, to: doing)
        let others = others()
        guard others.isEmpty else {
            throw SQLError(
                .inUse, doing, "it is in use", wayOut: "end what uses the database", blockers: others)
        }
        detach()
        if let path = address.file {
            try replace(path, with: file, to: doing)
        } else {
            do throws(SQLError) {
                try gbak().run(
                    ["-rep", "stdin", address.text], to: doing, input: file.descriptor, shouldEnd: shouldEnd)
            } catch {
                var error = error
                error.wayOut =
                    "the database may be half restored: fix the cause, then resume, which restores it from the beginning; "
                    + "that takes its owner or SYSDBA, and GRANT CREATE DATABASE"
                throw error
            }
        }
        // What this session knew of the database is gone.
        try reconnect()
    }

    /// Makes a new file beside the database's and puts it in its place in one step.
    private func replace(_ path: String, with backup: borrowing File, to doing: String) throws(SQLError) {
        let (parent, name) = Directory.split(path)
        let new = name + ".patchd-new"
        try BackupFile.onFiles(doing) { () throws(FileError) in try Directory.open(parent ?? "/").remove(new) }
        try gbak().run(["-c", "stdin", path + ".patchd-new"], to: doing, input: backup.descriptor, shouldEnd: shouldEnd)
        try BackupFile.onFiles(doing) { () throws(FileError) in
            let directory = try Directory.open(parent ?? "/")
            let file = try directory.file(new)
            try file.sync()
            if let old = try directory.status(name) { try file.setMode(old.mode) }
            try directory.rename(new, to: directory, name)
            try directory.sync()
        }
    }
}
