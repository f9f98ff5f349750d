import Glibc
import PatchFiles
import PatchModel

/// A copy is a dump in SQL, written and read by MariaDB's own programs.
extension MariaDBSession {
    func backUp(
        to directory: borrowing Directory, as name: String, onUnchecked: ([String]) -> Void,
        onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseBackup {
        let dump = DumpFile(
            doing: "copy the database \(database.address.place) to \"\(directory.path)/\(name)\"", name: name)
        let here = try place(directory, dump.doing)
        return try dump.make(in: directory, size: try size(), mode: "mariadb-dump") { (output) throws(SQLError) in
            try write(to: output, dump.doing, in: here, onProgress)
            guard try Self.isComplete(output, dump.doing) else {
                throw SQLError(
                    .database, dump.doing, "the dump that mariadb-dump wrote has no end", wayOut: "try again")
            }
        }
    }

    /// Bytes of the rows, as the server reckons them; as text they are about as many.
    func size() throws(SQLError) -> UInt64 {
        let text =
            "SELECT CAST(COALESCE(SUM(data_length), 0) AS CHAR) FROM information_schema.tables WHERE table_schema = ?"
        return try query(text, [database.address.database]).first?[0].flatMap { UInt64($0) } ?? 0
    }

    private func write(
        to output: Int32, _ doing: String, in directory: borrowing Directory, _ onProgress: (String) -> Void
    ) throws(SQLError) {
        let name = database.address.database
        let arguments = [
            // Without locks: all that others commit meanwhile is left out, or nobody else is there.
            "--verbose", "--single-transaction", "--skip-lock-tables", "--quick", "--hex-blob", "--no-tablespaces",
            "--skip-dump-date", "--routines", "--triggers", "--events", "--default-character-set=utf8mb4",
            // A copy that is put back must not say that the folder is locked.
            "--ignore-table-data=\(name).patchd_revision", "--", name,
        ]
        let login = database.address.login
        let program = client(
            ["mariadb-dump"] + (login == nil ? [] : ["--defaults-extra-file=/dev/fd/0"]) + database.address.placeOptions
                + arguments)
        let input = try loginInput(doing)
        try program.run(doing, in: directory, input: input.descriptor, output: output, onLine: onProgress)
    }

    func client(_ command: [String]) -> ClientProgram {
        ClientProgram(
            command: command, environment: MariaDBAddress.home.map { ["HOME=\($0)"] } ?? [], package: "mariadb-client",
            wayOut: "see that the user has the rights that docs/databases.md names", remark: "-- ", shouldEnd: shouldEnd
        )
    }

    private func loginInput(_ doing: String) throws(SQLError) -> File {
        guard let login = database.address.login else { return try nothing(doing) }
        return try ClientProgram.secret(login)
    }

    func place(_ directory: borrowing Directory, _ doing: String) throws(SQLError) -> Directory {
        do throws(FileError) { return try directory.duplicate() } catch { throw SQLError(.io, doing, "\(error)") }
    }

    func nothing(_ doing: String) throws(SQLError) -> File {
        do throws(FileError) { return try File.open("/dev/null", O_RDWR) } catch {
            throw SQLError(.io, doing, "\(error)")
        }
    }

    /// Whether the last line is the one that stands at the end of a dump.
    private static func isComplete(_ dump: Int32, _ doing: String) throws(SQLError) -> Bool {
        var end = [UInt8](repeating: 0, count: 64)
        let size = lseek(dump, 0, SEEK_END)
        let count = pread(dump, &end, end.count, max(0, size - 64))
        guard size >= 0, count >= 0 else { throw SQLError(.io, doing, String(cString: strerror(errno))) }
        let lines = String(decoding: end.prefix(count), as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.last?.hasPrefix("-- Dump completed") == true
    }

    /// What is there is dropped, then the dump is loaded: not in one transaction, which the server does not have for
    /// this. Cut off, it begins anew from the copy.
    func restore(
        _ backup: DatabaseBackup, from directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError) {
        let doing = "restore the database \(database.address.place) from \"\(directory.path)/\(backup.name)\""
        let dump = try DumpFile.open(backup, in: directory, doing)
        guard try Self.isComplete(dump.descriptor, doing) else {
            throw SQLError(.database, doing, "the dump has no end", wayOut: "restore the database from another backup")
        }
        try keepOthersOut()
        try dropEverything()
        let login = database.address.login
        // Its input is the dump, so the login comes by another descriptor.
        let script = "exec 9<&0; dump=$1; shift; exec mariadb \"$@\" < \"$dump\""
        let program = client(
            ["sh", "-c", script, "restore", backup.name]
                + (login == nil ? [] : ["--defaults-extra-file=/dev/fd/9"]) + database.address.placeOptions
                + [
                    // Older clients do not know it.
                    "--loose-sandbox", "--batch", "--default-character-set=utf8mb4",
                    "--init-command=SET SESSION \(MariaDBDatabase.limits(lockTimeout))", "--",
                    database.address.database,
                ])
        let input = try loginInput(doing)
        let output = try nothing(doing)
        try program.run(
            doing, in: try place(directory, doing), input: input.descriptor, output: output.descriptor,
            onLine: onProgress)
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
    /// Where MariaDB's own programs are to go.
    var placeOptions: [String] {
        var own: [String] = []
        if let host { own.append("--host=\(host)") }
        if port > 0 { own.append("--port=\(port)") }
        if let socket { own.append("--socket=\(socket)") }
        if let user { own.append("--user=\(user)") }
        if requiresTLS { own.append("--ssl") }
        if verifiesCertificate { own += ["--ssl-ca=\(Self.certificates)", "--ssl-verify-server-cert"] }
        return own
    }

    /// An option file with the password; nil where there is none but the owner's.
    var login: String? {
        password.map { text in
            // In an option file a backslash begins an escape, and a # a comment.
            let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return "[client]\npassword=\"\(escaped)\"\n"
        }
    }
}
