import Glibc
import PatchFiles
import PatchModel

/// `pg_dump -Fc` of the database or of the folder's schema, and its way back in one transaction.
extension PostgreSQLSession {

    func backUp(
        to directory: borrowing Directory, as name: String, onUnchecked: ([String]) -> Void,
        onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseBackup {
        let dump = DumpFile(doing: "copy the database \"\(database.url)\" to \"\(directory.path)/\(name)\"", name: name)
        let size = try size()
        // Its row would say that the folder is locked, for ever.
        var command = ["pg_dump", "-Fc", "--verbose", "--no-password", "--exclude-table-data=\(home)patchd_revision"]
        if let own = database.server.schema { command.append("--schema=\(Self.dialect.quoted(own))") }
        let here = try place(directory)
        return try dump.make(in: directory, size: size, mode: "pg_dump") { (output) throws(SQLError) in
            try run(command + ["--dbname=\(conninfo)"], dump.doing, in: here, output: output, onProgress)
        }
    }

    /// The tables' bytes; the dump compresses them and leaves the indexes out.
    func size() throws(SQLError) -> UInt64 {
        let rows = try query(
            """
            SELECT coalesce(sum(pg_catalog.pg_table_size(c.oid)), 0)::bigint FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            AND (? = '' OR n.nspname = ?)
            """, [database.server.schema ?? "", database.server.schema ?? ""])
        return rows.first?.first.flatMap { $0 }.flatMap { UInt64($0) } ?? 0
    }

    func restore(
        _ backup: DatabaseBackup, from directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError) {
        let doing = "restore the database \"\(database.url)\" from \"\(directory.path)/\(backup.name)\""
        _ = try DumpFile.open(backup, in: directory, doing)
        // One transaction, committed only after the whole dump was read: a session that waits sees the old or the new database.
        let script = """
            exec 9<&0
            { printf '%s\\n' "$1"; pg_restore -f - "$2" && echo 'COMMIT;' || echo 'SELECT 1 / 0;'; } </dev/null |
            PGPASSFILE=${3:-$PGPASSFILE} psql -X -q -w -v ON_ERROR_STOP=1 -d "$4" >/dev/null
            """
        let start = """
            BEGIN;
            SET LOCAL lock_timeout = 0;
            SET LOCAL client_min_messages = warning;
            \(emptying)
            """
        try run(
            ["sh", "-c", script, "restore", start, backup.name, passwordFile == nil ? "" : "/dev/fd/9", conninfo],
            doing,
            in: try place(directory), output: nil, onProgress)
        // What this session knew of the database is gone.
        try reconnect()
    }

    /// Removes all that a restore brings, and what an update has made besides; what belongs to extensions stays.
    private var emptying: String {
        if let own = database.server.schema { return "DROP SCHEMA IF EXISTS \(Self.dialect.quoted(own)) CASCADE;" }
        return """
            DO $$
            DECLARE o record;
            BEGIN
                FOR o IN SELECT quote_ident(nspname) AS name FROM pg_catalog.pg_namespace n
                    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
                    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = n.oid AND d.deptype = 'e')
                LOOP EXECUTE 'DROP SCHEMA IF EXISTS ' || o.name || ' CASCADE'; END LOOP;
                FOR o IN SELECT c.oid::regclass::text AS name, CASE c.relkind WHEN 'v' THEN 'VIEW'
                    WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE'
                    WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind
                    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
                    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('e', 'i'))
                LOOP EXECUTE 'DROP ' || o.kind || ' IF EXISTS ' || o.name || ' CASCADE'; END LOOP;
                FOR o IN SELECT p.oid::regprocedure::text AS name FROM pg_catalog.pg_proc p
                    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'
                    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype IN ('e', 'i'))
                LOOP EXECUTE 'DROP ROUTINE IF EXISTS ' || o.name || ' CASCADE'; END LOOP;
                FOR o IN SELECT t.oid::regtype::text AS name, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END AS kind
                    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
                    WHERE n.nspname = 'public' AND t.typtype IN ('d', 'e', 'r')
                    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = t.oid AND d.deptype IN ('e', 'i'))
                LOOP EXECUTE 'DROP ' || o.kind || ' IF EXISTS ' || o.name || ' CASCADE'; END LOOP;
                PERFORM pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata;
            END $$;
            """
    }

    // MARK: Programs

    func run(
        _ command: [String], _ doing: String, in directory: borrowing Directory, output: Int32?,
        _ onProgress: (String) -> Void
    ) throws(SQLError) {
        var program = ClientProgram(command: command, package: "postgresql-client", shouldEnd: shouldEnd)
        let input: File
        if let passwordFile {
            input = try ClientProgram.secret(passwordFile)
            program.environment = ["PGPASSFILE=/dev/fd/0"]
        } else {
            input = try nothing()
        }
        let sink = try nothing()
        try program.run(
            doing, in: directory, input: input.descriptor, output: output ?? sink.descriptor, onLine: onProgress)
    }

    private func nothing() throws(SQLError) -> File {
        do throws(FileError) { return try File.open("/dev/null", O_RDWR) } catch {
            throw SQLError(.io, "open /dev/null", "\(error)")
        }
    }

    func place(_ directory: borrowing Directory) throws(SQLError) -> Directory {
        do throws(FileError) { return try directory.duplicate() } catch {
            throw SQLError(.io, "open \"\(directory.path)\"", "\(error)")
        }
    }

    /// A line of a passfile for whatever server; nil where the owner's own one is used.
    private var passwordFile: String? {
        guard let password = database.login.credentials?.password else { return nil }
        return "*:*:*:*:\(password.escaped(":\\"))\n"
    }

    /// libpq's parameters as one text; no password is among them.
    private var conninfo: String { conninfo() }

    /// - Parameter name: of another database on the same server; nil: the folder's.
    func conninfo(database name: String? = nil) -> String {
        // The last one of a name counts.
        (database.settings + (name.map { [("dbname", $0)] } ?? [])).filter { $0.name != "password" }.map {
            name, value in
            "\(name)='\(value.escaped("'\\"))'"
        }.joined(separator: " ")
    }
}

extension String {
    /// With a backslash in front of some characters.
    fileprivate func escaped(_ special: String) -> String {
        reduce(into: "") { text, character in text += special.contains(character) ? "\\\(character)" : "\(character)" }
    }
}
