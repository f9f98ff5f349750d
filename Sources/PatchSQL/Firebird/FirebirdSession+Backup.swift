import Glibc
import PatchFiles
import PatchModel

/// Copies are gbak's: a file that any version of the server can restore.
extension FirebirdSession {
    func backUp(
        to directory: borrowing Directory, as name: String, onUnchecked: ([String]) -> Void,
        onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseBackup {
        let dump = DumpFile(doing: "copy the database \"\(address.name)\" to \"\(directory.path)/\(name)\"", name: name)
        // An earlier try may have failed after it had detached.
        try attach()
        let size = try size()
        // The engine that another process runs cannot open the file while this one has it open.
        let isAlone = address.file != nil
        if isAlone { detach() }
        let place = try opening("/", dump.doing) { () throws(FileError) in try Directory.open("/") }
        let nothing = try nothing(dump.doing)
        let backup = try dump.make(
            in: directory, size: size, mode: "gbak"
        ) { (output) throws(SQLError) in
            try gbak(
                // A copy that is put back must not say that the folder is locked. Garbage is left to the server.
                ["-b", "-g", "-v", "-skip_data", "PATCHD_REVISION", address.text, "stdout"], dump.doing, in: place,
                input: nothing.descriptor, output: output, onProgress)
        }
        if isAlone { try reconnect() }
        return backup
    }

    func size() throws(SQLError) -> UInt64 {
        try query("SELECT MON$PAGES * CAST(MON$PAGE_SIZE AS bigint) FROM MON$DATABASE", []).first?[0]
            .flatMap { UInt64($0) } ?? 0
    }

    func restore(
        _ backup: DatabaseBackup, from directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError) {
        let doing = "restore the database \"\(address.name)\" from \"\(directory.path)/\(backup.name)\""
        try attach()
        let file = try DumpFile.open(backup, in: directory, doing)
        let others = others()
        guard others.isEmpty else {
            throw SQLError(.inUse, doing, "it is in use", wayOut: "end what uses the database", blockers: others)
        }
        detach()
        if let path = address.file {
            try replace(path, with: file, doing, onProgress)
        } else {
            let place = try opening("/", doing) { () throws(FileError) in try Directory.open("/") }
            let nothing = try nothing(doing)
            do throws(SQLError) {
                try gbak(
                    ["-rep", "-v", "stdin", address.text], doing, in: place, input: file.descriptor,
                    output: nothing.descriptor, onProgress)
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
    private func replace(
        _ path: String, with backup: borrowing File, _ doing: String, _ onProgress: (String) -> Void
    ) throws(SQLError) {
        let (parent, name) = Directory.split(path)
        let new = name + ".patchd-new"
        let directory = try opening(path, doing) { () throws(FileError) in
            let directory = try Directory.open(parent ?? "/")
            try directory.remove(new)
            return directory
        }
        let nothing = try nothing(doing)
        try gbak(
            ["-c", "-v", "stdin", path + ".patchd-new"], doing, in: directory, input: backup.descriptor,
            output: nothing.descriptor, onProgress)
        try opening(path, doing) { () throws(FileError) in
            let file = try directory.file(new)
            try file.sync()
            if let old = try directory.status(name) { try file.setMode(old.mode) }
            try directory.rename(new, to: directory, name)
            try directory.sync()
        }
    }

    /// Runs gbak, which says on its standard error what it is at.
    ///
    /// - Parameter login: nil: this session's.
    func gbak(
        _ arguments: [String], _ doing: String, in directory: borrowing Directory, input: Int32, output: Int32,
        as login: FirebirdAddress? = nil, _ onProgress: (String) -> Void
    ) throws(SQLError) {
        let address = login ?? address
        let locks = getenv(FirebirdLocks.name).map { ["\(FirebirdLocks.name)=\(String(cString: $0))"] } ?? []
        let program = ClientProgram(
            command: ["gbak"] + arguments, environment: address.environment + locks, package: "firebird3.0-utils",
            shouldEnd: shouldEnd)
        var errors: [String] = []
        do throws(SQLError) {
            try program.run(doing, in: directory, input: input, output: output) { line in
                // `gbak:writing data for table PAY`; there is a line a column, too.
                if line.contains(" data for table ") { onProgress(line) }
                // `gbak: ERROR:` and what belongs to it; the last line says only that there was one.
                if line.hasPrefix("gbak: ERROR") || line.hasPrefix("gbak: ") && !errors.isEmpty { errors.append(line) }
            }
        } catch {
            var error = error
            if !errors.isEmpty { error.cause = Printable.text(errors.prefix(5).joined(separator: ", ")) }
            // gbak has no codes: another process was quicker to open the file.
            if let file = address.file, error.cause.contains("already opened with engine instance") {
                error.code = .inUse
                error.wayOut = "end what uses the database"
                error.blockers = OpenFile.others(with: file)
            }
            throw error
        }
    }

    func nothing(_ doing: String) throws(SQLError) -> File {
        try opening("/dev/null", doing) { () throws(FileError) in try File.open("/dev/null", O_RDWR) }
    }

    func opening<Value: ~Copyable>(
        _ path: String, _ doing: String, _ body: () throws(FileError) -> Value
    ) throws(SQLError) -> Value {
        do throws(FileError) { return try body() } catch {
            let isFull = [ENOSPC, EDQUOT].contains(error.number)
            throw SQLError(
                isFull ? .space : .io, doing, "\(error)",
                wayOut: isFull ? "make room on the file system of \"\(path)\"" : "")
        }
    }
}
