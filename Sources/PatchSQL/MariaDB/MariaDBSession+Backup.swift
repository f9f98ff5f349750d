import Glibc
import PatchFiles
import PatchModel

/// A copy is a dump in SQL, written and read by MariaDB's own programs.
extension MariaDBSession {
    func backUp(
        to directory: borrowing Directory, as name: String, onUnchecked: ([String]) -> Void,
        onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseBackup {
        let file = BackupFile(doing: "copy the database \(database.address.place) to \"\(directory.path)/\(name)\"")
        return try file.make(name, in: directory, size: try dataSize()) { (output) throws(SQLError) in
            try dump(to: output, file.doing, in: directory)
        }
    }

    /// Bytes of the rows, as the server reckons them; as text they are about as many.
    private func dataSize() throws(SQLError) -> UInt64 {
        let text =
            "SELECT CAST(COALESCE(SUM(data_length), 0) AS CHAR) FROM information_schema.tables WHERE table_schema = ?"
        return try query(text, [database.address.database]).first?[0].flatMap { UInt64($0) } ?? 0
    }

    private func dump(to output: borrowing File, _ doing: String, in directory: borrowing Directory) throws(SQLError) {
        let name = database.address.database
        let program = database.address.program(
            "mariadb-dump", package: "mariadb-client",
            [
                // Without locks: all that others commit meanwhile is left out, or nobody else is there.
                "--single-transaction", "--skip-lock-tables", "--quick", "--hex-blob", "--no-tablespaces",
                "--skip-dump-date",
                "--routines", "--triggers", "--events", "--default-character-set=utf8mb4",
                // A copy that is put back must not say that the folder is locked.
                "--ignore-table-data=\(name).patchd_revision", "--", name,
            ])
        let empty = try nothing(doing)
        try program.run(doing, input: empty, output: output, in: directory, shouldEnd: shouldEnd)
        guard try Self.isComplete(output, doing) else {
            throw SQLError(.database, doing, "the dump that mariadb-dump wrote has no end", wayOut: "try again")
        }
    }

    private func nothing(_ doing: String) throws(SQLError) -> File {
        do throws(FileError) { return try File.open("/dev/null", O_RDWR) } catch {
            throw SQLError(.io, doing, "\(error)")
        }
    }

    /// Whether the last line is the one that stands at the end of a dump.
    private static func isComplete(_ dump: borrowing File, _ doing: String) throws(SQLError) -> Bool {
        do throws(FileError) {
            let size = try dump.status().size
            let end = try dump.read(at: max(0, size - 64), limit: 64)
            let lines = String(decoding: end, as: UTF8.self).split(whereSeparator: \.isNewline)
            return lines.last?.hasPrefix("-- Dump completed") == true
        } catch {
            throw SQLError(.io, doing, "\(error)")
        }
    }

    /// What is there is dropped, then the dump is loaded: not in one transaction, which the server does not have for
    /// this. Cut off, it begins anew from the copy.
    func restore(
        _ backup: DatabaseBackup, from directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError) {
        let doing = "restore the database \(database.address.place) from \"\(directory.path)/\(backup.name)\""
        let dump = try BackupFile(doing: doing).open(backup, in: directory)
        guard try Self.isComplete(dump, doing) else {
            throw SQLError(.database, doing, "the dump has no end", wayOut: "restore the database from another backup")
        }
        try keepOthersOut()
        try dropEverything()
        let program = database.address.program(
            "mariadb", package: "mariadb-client",
            [
                // Older clients do not know it.
                "--loose-sandbox", "--batch", "--default-character-set=utf8mb4",
                "--init-command=SET SESSION \(MariaDBDatabase.limits(lockTimeout))", "--", database.address.database,
            ])
        let output = try nothing(doing)
        try program.run(doing, input: dump, output: output, in: directory, shouldEnd: shouldEnd)
        // What this session knew of the database is gone.
        try reconnect()
    }

    private func dropEverything() throws(SQLError) {
        let name = database.address.database
        func names(_ text: String) throws(SQLError) -> [[String]] {
            try query(text, [name]).map { $0.compactMap { $0 } }
        }
        try query("SET SESSION foreign_key_checks = 0", [])
        for row in try names("SELECT event_name FROM information_schema.events WHERE event_schema = ?") {
            try query("DROP EVENT \(home)\(Self.dialect.quoted(row[0]))", [])
        }
        for row in try names("SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = ?") {
            let kind = ["VIEW": "VIEW", "SEQUENCE": "SEQUENCE"][row[1]] ?? "TABLE"
            try query("DROP \(kind) \(home)\(Self.dialect.quoted(row[0]))", [])
        }
        for row in try names(
            "SELECT routine_name, routine_type FROM information_schema.routines WHERE routine_schema = ?")
        {
            try query("DROP \(row[1]) \(home)\(Self.dialect.quoted(row[0]))", [])
        }
        try query("SET SESSION foreign_key_checks = 1", [])
    }
}

extension MariaDBAddress {
    /// One of MariaDB's own programs, told to go where this leads.
    fileprivate func program(_ name: String, package: String, _ arguments: [String]) -> ServerProgram {
        var own: [String] = []
        if let host { own.append("--host=\(host)") }
        if port > 0 { own.append("--port=\(port)") }
        if let socket { own.append("--socket=\(socket)") }
        if let user { own.append("--user=\(user)") }
        if requiresTLS { own.append("--ssl") }
        if verifiesCertificate { own += ["--ssl-ca=\(Self.certificates)", "--ssl-verify-server-cert"] }
        let login = password.map { text in
            // In an option file a backslash begins an escape, and a # a comment.
            let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return "[client]\npassword=\"\(escaped)\"\n"
        }
        return ServerProgram(
            name: name, package: package,
            arguments: (login == nil ? [] : ["--defaults-extra-file=\(ServerProgram.loginPlace)"]) + own + arguments,
            login: login, wayOut: "see that the user has the rights that docs/databases.md names",
            environment: Self.home.map { ["HOME=\($0)"] } ?? [])
    }
}
