import PatchFiles
import PatchModel

/// A database of its own on the same server, which only an account whose rights end there ever writes to: MariaDB has no
/// other wall between the databases of one server.
extension MariaDBSession {
    func copyObstacle(_ order: CopyOrder) throws(SQLError) -> String? {
        guard let account = order.account else {
            return "there is no account whose rights end at the copy; see rehearseCredentials in docs/databases.md"
        }
        return try accountSession(order).excessiveRight.map { right in
            "the account \(account.user ?? "of rehearseCredentials") may do more than work on copies (\(right)); its only "
                + "right is to be: GRANT ALL ON `\(Self.grantPattern)`.* TO …"
        }
    }

    /// Databases that an account for rehearsals may have a right on, as GRANT has it.
    private static let grantPattern = "patchd\\_rehearsal\\_%"

    /// A right of this session's user that goes beyond copies; nil where there is none.
    private var excessiveRight: String? {
        get throws(SQLError) {
            for row in try query("SHOW GRANTS", []) {
                guard let grant = row[0] else { continue }
                // What stands behind it is how the user logs in.
                let right = grant.components(before: " TO ")
                if right == "GRANT USAGE ON *.*" { continue }
                let isCopies = ["`patchd\\_rehearsal\\_", "`patchd_rehearsal_"].contains { right.contains(" ON " + $0) }
                if !isCopies { return right }
                // Without a backslash, _ stands for any letter.
                if right.contains(" ON `patchd_rehearsal_"), right.contains("%") { return right }
            }
            // What everybody has is in no grant of the account's.
            let seen = try query("SHOW DATABASES", []).compactMap { $0[0] }
            let other = seen.first { !$0.hasPrefix(CopyName.common) && $0.lowercased() != "information_schema" }
            return other.map { "it sees the database \($0)" }
        }
    }

    /// A session of the account's in no database that has rows.
    private func accountSession(_ order: CopyOrder) throws(SQLError) -> MariaDBSession {
        try MariaDBSession(try accountDatabase("information_schema", order), lockTimeout: lockTimeout)
    }

    private func accountDatabase(_ name: String, _ order: CopyOrder) throws(SQLError) -> MariaDBDatabase {
        let doing = "use the account of rehearseCredentials"
        guard let account = order.account, let live = order.live.named(database: name),
            case .mariadb(let server) = live.engine
        else { throw SQLError(.database, doing, "there is none") }
        guard account.user != nil else {
            throw SQLError(.database, doing, "the file has no line user=", wayOut: "add it")
        }
        return try MariaDBDatabase(server, as: DatabaseLogin(name: database.name, credentials: account))
    }

    func makeCopy(
        _ order: CopyOrder, in directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseCopy {
        try checkLimit(order)
        let doing = "make the copy \"\(order.name)\" of the database \(database.address.place)"
        let begun = ContinuousClock.now
        let dump = try backUp(to: directory, as: "dump", onUnchecked: { _ in }, onProgress: onProgress)
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        let texts =
            try query(
                """
                SELECT default_character_set_name, default_collation_name FROM information_schema.schemata
                WHERE schema_name = ?
                """, [database.address.database]
            ).first ?? []
        let form =
            texts.count == 2 ? " CHARACTER SET \(texts[0] ?? "utf8mb4") COLLATE \(texts[1] ?? "utf8mb4_bin")" : ""
        try accountSession(order).query("CREATE DATABASE \(Self.dialect.quoted(order.name))\(form)", [])
        let copy = try accountDatabase(order.name, order)
        // The account cannot make anything another's. What defines it stands at the beginning of a line, no row does.
        let script = """
            exec 9<&0; dump=$1; shift
            sed -e '/^\\(\\/\\*!\\|CREATE \\)/s/DEFINER=`[^`]*`@`[^`]*`//' "$dump" | mariadb "$@"
            """
        let program = client(
            ["sh", "-c", script, "restore", dump.name, "--defaults-file=/dev/fd/9"] + copy.address.placeOptions + [
                "--loose-sandbox", "--batch", "--default-character-set=utf8mb4",
                "--init-command=SET SESSION \(MariaDBDatabase.limits(lockTimeout))", "--", order.name,
            ])
        let input = try ClientProgram.secret(copy.address.login ?? "[client]\n")
        let output = try nothing(doing)
        try program.run(
            doing, in: try place(directory, doing), input: input.descriptor, output: output.descriptor,
            onLine: onProgress)
        do throws(FileError) { try directory.remove(dump.name) } catch { throw SQLError(.io, doing, "\(error)") }
        guard let reference = order.live.named(database: order.name) else {
            throw SQLError(.database, doing, "its URL names no database that could be replaced")
        }
        return DatabaseCopy(reference: reference, login: .account, seconds: seconds)
    }

    func removeCopies(_ order: CopyOrder) throws(SQLError) {
        guard order.account != nil else { return }
        let session = try accountSession(order)
        for name in try session.query("SHOW DATABASES", []).compactMap({ $0[0] })
        where name.hasPrefix(order.prefix) && name.hasPrefix(CopyName.common) {
            try session.query("DROP DATABASE IF EXISTS \(Self.dialect.quoted(name))", [])
        }
    }
}

extension String {
    /// What stands before a text; all of it where the text is not in it.
    fileprivate func components(before text: String) -> String {
        firstRange(of: text).map { String(self[..<$0.lowerBound]) } ?? self
    }
}
