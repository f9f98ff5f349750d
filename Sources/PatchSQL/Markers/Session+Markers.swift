import PatchJSON
public import PatchModel

// patchd_step: a row a script, and one, with empty names, that holds the folder's version in `version`. Times are RFC
// 3339 in UTC. It lies in the application's own database so that it travels with its dumps.
extension Session {
    private var stepTable: String {
        let form = Self.dialect.own
        return """
            \(form.create) \(home)patchd_step (
            update_name varchar(64)\(form.nameSuffix) NOT NULL,
            patch varchar(64)\(form.nameSuffix) NOT NULL,
            script varchar(255)\(form.nameSuffix) NOT NULL,
            version varchar(64) NOT NULL,
            state varchar(16) NOT NULL,
            job integer NOT NULL,
            statements integer NOT NULL,
            total integer NOT NULL,
            hash varchar(64) NOT NULL,
            \(form.at) varchar(32) NOT NULL,
            PRIMARY KEY (update_name, patch, script))\(form.options)
            """
    }

    /// Creates `patchd_step`, `patchd_revision` and `patchd_version` where they are missing: outside of a transaction, because in MariaDB
    /// a new table ends one.
    public func prepareTables() throws(SQLError) {
        // A temporary table of a script's could stand in front of the real one.
        if isTainted { try reconnect() }
        let form = Self.dialect.own
        if try columns(of: "patchd_step").isEmpty { try query(stepTable, []) }
        if try columns(of: "patchd_revision").isEmpty {
            try query(
                """
                \(form.create) \(home)patchd_revision (
                    code integer NOT NULL,
                    phase varchar(16) NOT NULL,
                    message \(form.text) NOT NULL,
                    deadline varchar(32))\(form.options)
                """, [])
        }
        if try columns(of: "patchd_version").isEmpty {
            try query(
                """
                \(form.create) \(home)patchd_version (
                    version varchar(64) NOT NULL,
                    recommended varchar(64))\(form.options)
                """, [])
        }
    }

    /// What the database knows of itself.
    ///
    /// - Returns: nil where patchd never wrote anything into it.
    /// - Throws: with the code `database` when the record cannot be understood.
    public func record() throws(SQLError) -> DatabaseRecord? {
        guard try !columns(of: "patchd_step").isEmpty else { return nil }
        var record = DatabaseRecord(version: nil, steps: [])
        for row in try query("\(stepQuery) ORDER BY job, update_name, patch, script", []) {
            let marker = try marker(row)
            if marker.key.script.isEmpty { record.version = marker.version } else { record.steps.append(marker) }
        }
        return record
    }

    /// The record of one script; nil where there is none.
    public func marker(of key: StepKey) throws(SQLError) -> StepMarker? {
        guard try !columns(of: "patchd_step").isEmpty else { return nil }
        let rows = try query(
            "\(stepQuery) WHERE update_name = ? AND patch = ? AND script = ?", [key.update, key.patch, key.script])
        guard let row = rows.first else { return nil }
        return try marker(row)
    }

    private var stepQuery: String {
        "SELECT update_name, patch, script, version, state, job, statements, total, hash, \(Self.dialect.own.at) FROM \(home)patchd_step"
    }

    private func marker(_ row: [String?]) throws(SQLError) -> StepMarker {
        let texts = row.map { $0 ?? "" }
        guard let version = Version(texts[3]), let state = StepMarker.State(rawValue: texts[4]),
            let job = Int(texts[5]),
            let statements = Int(texts[6]), let total = Int(texts[7]),
            let at = try? JSONText.read(Timestamp.self, "\"\(texts[9])\"".utf8)
        else { throw damaged(texts) }
        return StepMarker(
            StepKey(update: texts[0], patch: texts[1], script: texts[2]), version: version, state: state, job: job,
            statements: statements, total: total, hash: texts[8], at: at)
    }

    private func damaged(_ texts: [String]) -> SQLError {
        SQLError(
            .database, "read the table patchd_step", "its row \(texts.joined(separator: "|")) makes no sense",
            wayOut: "correct the row, or restore the database")
    }

    /// Lets the database know a version, and what was done or undone besides; what is recorded as done stays so.
    public func settle(
        _ version: Version?, adding markers: [StepMarker] = [], forgetting keys: [StepKey] = []
    ) throws(SQLError) {
        try keepOthersOut()
        try prepareTables()
        try transaction { () throws(SQLError) in
            for marker in markers where try self.marker(of: marker.key)?.isDone != true { try write(marker) }
            for key in keys { try erase(key) }
            if let version { try writeVersion(version) }
        }
    }

    /// Takes the database as it is for `version`: scripts for versions above it count as not run, so that the next
    /// update runs them; what was cut in the middle counts as never begun.
    ///
    /// - Parameters:
    ///   - expected: what the folder's state says was done; the record says the same afterwards, but for migrations, which
    ///     the state says nothing of. Nil: the state was not asked.
    ///   - mark: the migration up to which all count as done, and no other does; nil: what is said of them stays as it is
    ///     for the version.
    public func baseline(
        _ version: Version, expecting expected: Set<StepKey>? = nil, migrations mark: MigrationName? = nil
    ) throws(SQLError) {
        try keepOthersOut()
        try prepareTables()
        let known = try record()?.steps ?? []
        let expected = expected?.filter { $0.migration == nil }
        let stale = known.filter { marker in
            if !marker.isDone { return true }
            if let migration = marker.key.migration {
                guard let mark else { return !marker.key.isMark && marker.version > version }
                return marker.key.isMark || migration.number > mark.number
            }
            return marker.version > version || expected.map { !$0.contains(marker.key) } ?? false
        }
        let missing = (expected ?? []).subtracting(known.map(\.key))
        try transaction { () throws(SQLError) in
            for marker in stale { try erase(marker.key) }
            for key in missing.sorted(by: { $0.description < $1.description }) {
                try write(StepMarker(key, version: version, state: .assumed, job: 0))
            }
            if let mark { try write(StepMarker(StepKey(markingUpTo: mark), version: version, state: .assumed, job: 0)) }
            try writeVersion(version)
        }
    }

    /// Within a transaction.
    func write(_ marker: StepMarker) throws(SQLError) {
        try erase(marker.key)
        try query(
            "INSERT INTO \(home)patchd_step VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                marker.key.update, marker.key.patch, marker.key.script, marker.version.description,
                marker.state.rawValue, "\(marker.job)", "\(marker.statements)", "\(marker.total)", marker.hash,
                marker.at.description,
            ])
    }

    /// Within a transaction.
    func erase(_ key: StepKey) throws(SQLError) {
        try query(
            "DELETE FROM \(home)patchd_step WHERE update_name = ? AND patch = ? AND script = ?",
            [key.update, key.patch, key.script])
    }

    private static var versionKey: StepKey { StepKey(update: "", patch: "", script: "") }

    private func writeVersion(_ version: Version) throws(SQLError) {
        try write(StepMarker(Self.versionKey, version: version, state: .done, job: 0))
        // Which one is recommended, the daemon says afterwards.
        let recommended = try query("SELECT recommended FROM \(home)patchd_version", []).first?.first.flatMap { $0 }
        try replaceVersions([version.description, recommended])
    }

    /// Runs a body in a transaction: all of it takes effect or nothing.
    func transaction(
        hoisting statements: [SQLStatement] = [], _ body: () throws(SQLError) -> Void
    ) throws(SQLError) {
        try begin(hoisting: statements)
        do throws(SQLError) {
            try body()
            // Should a statement get past the checks and end the transaction, the marker must not claim otherwise.
            guard isInTransaction else {
                throw SQLError(
                    .sql, "commit", "a statement ended the transaction by itself",
                    wayOut: "look at what is in the database, then correct the script")
            }
            try commit()
        } catch {
            rollback()
            throw error
        }
    }
}
