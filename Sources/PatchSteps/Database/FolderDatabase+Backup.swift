import PatchFiles
import PatchLedger
import PatchModel
import PatchSQL

/// The copy of the database from before the first change.
extension FolderDatabase {
    /// Makes everything ready for the first step that may change the database; where there is none, nobody has to leave
    /// and nothing is copied. Done already: nothing happens.
    func prepare(in areas: WorkAreas) throws(WorkerError) {
        guard let database = order.database, context.state.ran.isDisjoint(with: touching),
            context.state.finished.isDisjoint(with: touching)
        else { return }
        if isKnown, !touching.isEmpty { try disconnectOthers() }
        try compare()
        try compareMigrations()
        if touching.isEmpty || context.state.backup != nil || database.backup == "none" { return }
        let area = try area(in: areas)
        guard let area else { throw .failed(step: nil, .io, "cannot copy the database: nothing is staged") }
        context.trace.write(.message, "copying the database")
        let backup: DatabaseBackup
        if database.backup == "auto" {
            let session = try session()
            var unchecked: [String] = []
            backup = try patiently(nil) { () throws(SQLError) in
                try session.backUp(
                    to: area.slots, as: WorkArea.backup, onUnchecked: { unchecked = $0 },
                    onProgress: { context.trace.write(.message, $0) })
            }
            if !unchecked.isEmpty {
                let names = unchecked.prefix(20).joined(separator: "; ")
                context.trace.write(.message, "the database was copied; these tables could not be checked: \(names)")
            }
        } else {
            try run(command: database.backup, "backup", area)
            backup = DatabaseBackup(name: WorkArea.backup, size: 0, sha256: "", mode: "")
        }
        try context.record(.backedUp(backup))
    }

    /// Puts the database back as it was before a job.
    func restore(_ job: UndoneJob, in areas: WorkAreas) throws(WorkerError) {
        guard let backup = job.backup, !context.state.restored.contains(job.job), let database = order.database else {
            return
        }
        let area = try area(in: areas)
        guard let area else {
            throw .failed(step: nil, .irreversible, "cannot restore the database: its copy is not kept any more")
        }
        context.trace.write(.message, "restoring the database from before job \(job.job)")
        if database.backup == "auto" {
            let session = try session()
            try patiently(nil) { () throws(SQLError) in
                // The copy may be from before they were kept out, and does not say then who is to be let in again.
                if database.disconnect == .onDemand { try session.letNewcomersIn() }
                try session.restore(backup, from: area.slots) { context.trace.write(.message, $0) }
            }
        } else {
            guard !database.restore.isEmpty else {
                throw .failed(
                    step: nil, .irreversible,
                    "cannot restore the database: \"backup\" is \(database.backup) now, and the copy was made otherwise; set "
                        + "it as it was, then resume")
            }
            try run(command: database.restore, "restore", area)
        }
        try context.record(.restored(job: job.job))
    }

    private func area(in areas: WorkAreas) throws(WorkerError) -> WorkArea? {
        try working("open \(context.folder.path)/\(WorkArea.name)") { () throws(FileError) in
            try areas.existing("")
        }
    }

    private func run(command: String, _ key: String, _ area: WorkArea) throws(WorkerError) {
        let path = area.slots.path + "/" + WorkArea.backup
        var execution = ScriptExecution(
            ["/bin/sh", "-c", command], environment: context.environment + ["PATCHD_BACKUP=\(path)"],
            seconds: order.scriptTimeout, shouldEnd: context.isStopOverdue)
        let output = ScriptOutput(context.trace, title: "", limit: order.outputLimit)
        let result = try working("run \(key)") { () throws(FileError) in
            try execution.run(in: context.folder, output: output)
        }
        if result == .stopped { throw .stopped }
        guard result == .exit(.code(0)) else {
            let said = execution.lastError.isEmpty ? "" : ": \(execution.lastError)"
            throw .failed(
                step: nil, .database,
                "the command \"\(key)\" of \(order.endpoint) (\(command)) failed (\(result))\(said); see the trace, then "
                    + "resume")
        }
        try working("make what \(key) wrote durable") { () throws(FileError) in try context.folder.syncFileSystem() }
    }
}
