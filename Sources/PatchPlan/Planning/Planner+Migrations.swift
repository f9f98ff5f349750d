import PatchModel

/// Which migrations of a patch run in a folder (contract §4, `migrations/`): all of which its database has no record.
extension Planner {
    /// What a patch's migrations come to in one folder.
    struct Migrations {
        var steps: [PlannedStep] = []
        /// The last one first.
        var waysBack: [PlannedStep] = []
        var faults: [Fault] = []
        var warnings: [String] = []
    }

    /// Where the database could not be asked, and in a folder without one, all of them: the record that the worker finds
    /// decides then.
    func migrations(of content: PatchContent, in folder: Folder) -> Migrations {
        let known = facts[folder.name]?.migrations ?? MigrationRecords()
        let sequence = content.patch.type
        let open = content.migrations.filter { !known.isDone($0.name, in: sequence) }
        var result = Migrations(steps: open.map(\.step))
        let names = Set(open.map(\.name))
        result.waysBack = content.waysBack.filter { names.contains($0.name) }.map(\.step)
        if !(content.patch.outOfOrder ?? false) {
            let trouble = known.trouble(
                with: open.map(\.name), among: content.migrations.map(\.name), in: sequence)
            result.faults = trouble.map {
                Fault(
                    folder: folder.name, .sql,
                    "cannot run the migrations of \(content.patch.name): \($0)\(MigrationRecords.wayOut)")
            }
        }
        let changed = Set(known.changed)
        for (name, step) in content.migrations
        where changed.contains(.init(sequence: sequence, name: name.description)) {
            result.warnings.append(
                "\(folder.name): \(step.path) of \(content.patch.name) is another than the one that ran there; it is not run "
                    + "again")
        }
        return result
    }

    /// That it is not known which migrations are done.
    func unaskedWarnings(_ chosen: [PatchContent], folder: Folder) -> [String] {
        guard let why = facts[folder.name]?.unasked, chosen.contains(where: { !$0.migrations.isEmpty }) else {
            return []
        }
        return [
            "\(folder.name): which migrations are done is not known before the update begins, and all are listed: \(why)"
        ]
    }
}
