/// One job whose work in a folder is to be undone, as its ledger records it: everything that a worker needs for that.
/// `LedgerSummary.undoneJob` makes it from the ledger.
public struct UndoneJob: Hashable, Codable, Sendable {
    /// The job's number; its slots are in `.patchd/jobs/<job>`.
    public var job: Int
    /// The update's name.
    public var update: String
    /// What the job did, in its order; `from` is the version that the folder has again afterwards.
    public var plan: FolderPlan
    /// Whether everything that an undo needs was marked complete before the first live byte changed.
    public var isPrepared: Bool
    /// Whether the job had finished this folder.
    public var isDone: Bool
    /// Numbers of the scripts, handlers and hooks that were started, finished or not.
    public var ran: [Int]
    /// By step.
    public var slots: [StepSlot]
    /// The copy of the database from before its first change; nil where none was made.
    public var backup: DatabaseBackup?
    /// Whether the database is restored from the copy, so that SQL scripts need no downgrade: while the folder is still
    /// locked, or where an admin gives up what was written since.
    public var restoresDatabase: Bool
    /// A script that failed or was interrupted, and need not be undone: it, or its replacement in a corrected archive,
    /// runs from its start anyway. Nil for none.
    public var halfRun: Int?

    /// Memberwise.
    public init(
        job: Int, update: String, plan: FolderPlan, isPrepared: Bool, isDone: Bool, ran: [Int], slots: [StepSlot],
        backup: DatabaseBackup? = nil, restoresDatabase: Bool = false
    ) {
        self.job = job
        self.update = update
        self.plan = plan
        self.isPrepared = isPrepared
        self.isDone = isDone
        self.ran = ran
        self.slots = slots
        self.backup = backup
        self.restoresDatabase = restoresDatabase
    }

    /// A part of an undo.
    public enum Part: Hashable, Sendable {
        /// The number of a downgrade to run.
        case downgrade(Int)
        /// Files to restore, in this order.
        case files([StepSlot])
        /// The database is restored from its copy.
        case database
    }

    /// The undo: the steps in reverse, a patch's downgrades before the last of its steps is undone. So a downgrade
    /// finds the files that its upgrade ran with.
    ///
    /// After a finished job all downgrades run. After a half-done one, only those whose version's upgrade was started;
    /// an interrupted upgrade counts, because its effect is unknown.
    public var parts: [Part] {
        var slots: [Int: StepSlot] = [:]
        for slot in self.slots { slots[slot.step] = slot }
        let downgrades = plan.downgrades.indices.map { plan.steps.count + $0 }.filter { number in
            isNeeded(number) && !(restoresDatabase && plan.step(number)?.isInDatabase ?? false)
        }
        let withSteps = Set(plan.steps.map(\.patch))
        var parts = downgrades.filter { !withSteps.contains(plan.step($0)?.patch ?? "") }.map(Part.downgrade)
        var files: [StepSlot] = []
        var begun: Set<String> = []
        for (number, step) in plan.steps.enumerated().reversed() {
            let own = begun.insert(step.patch).inserted ? downgrades.filter { plan.step($0)?.patch == step.patch } : []
            if !own.isEmpty {
                parts += StepSlot.runs(files, of: plan).map(Part.files) + own.map(Part.downgrade)
                files = []
            }
            if !step.kind.isRun, let slot = slots[number] { files.append(slot) }
        }
        parts += StepSlot.runs(files, of: plan).map(Part.files)
        // Last: downgrades of another kind work on the database's new content.
        return restoresDatabase ? parts + [.database] : parts
    }

    /// What ran and cannot be undone.
    public var irreversible: [PlannedStep] {
        plan.irreversible(among: ran.filter { $0 != halfRun }).filter { !(restoresDatabase && $0.isInDatabase) }
    }

    private func isNeeded(_ downgrade: Int) -> Bool {
        guard let step = plan.step(downgrade), let way = Script(step) else { return isDone }
        // A migration that was planned may have been done already, which only a look under the lock shows.
        if isDone, step.migration == nil { return true }
        return ran.contains { number in plan.step(number).flatMap(Script.init) == way }
    }

    /// What the database calls one of the downgrades while the job is undone. A name of its own: the upgrade's record goes
    /// when everything is undone, with this one.
    public func key(ofWayBack step: PlannedStep) -> StepKey {
        StepKey(update: update, patch: step.patch, script: "downgrades/\(step.path)")
    }

    /// What the database knows of the job's steps, as far as it is undone; of migrations only of those that it ran itself.
    public var stepKeys: [StepKey] {
        let ran = Set(self.ran)
        // Nothing undoes what the first statements of this one did, so the record of them stays for its replacement.
        let left = restoresDatabase ? nil : halfRun.flatMap { plan.irreversible(among: [$0]).isEmpty ? nil : $0 }
        return plan.steps.enumerated().filter { $0 != left && ($1.migration == nil || ran.contains($0)) }.compactMap {
            StepKey(update: update, version: plan.to, step: $1)
        }
    }
}

extension FolderPlan {
    /// The scripts that no downgrade of their patch and version undoes, and rows and handlers, which nothing undoes:
    /// once one of them ran, the folder cannot be put back.
    ///
    /// - Parameter numbers: of the steps to look at; nil for all.
    public func irreversible(among numbers: [Int]? = nil) -> [PlannedStep] {
        let ways = Set(downgrades.compactMap(Script.init))
        return (numbers ?? Array(steps.indices)).compactMap(step).filter { step in
            [.script, .rows, .handler].contains(step.kind) && (Script(step).map { !ways.contains($0) } ?? true)
        }
    }
}

extension PlannedStep {
    /// Why nothing undoes it, for one of ``FolderPlan/irreversible(among:)``.
    public var whyIrreversible: String {
        switch kind {
        case .rows: "rows of \(path) (\(source)) cannot be taken out of the database again"
        case .handler: "\"\(path)\" of \(patch) was handed to its handler, and nobody knows what that did"
        case _ where migration != nil:
            "\(path) of \(patch) has no \(migrationName?.description ?? "NAME").down.sql beside it"
        default: "script upgrades/\(path) of \(patch) has no script for its version in downgrades/"
        }
    }
}

/// A downgrade belongs to the upgrades of its patch that have its version, the way back of a migration to that.
private struct Script: Hashable {
    var patch: String
    var version: Version?
    var migration: MigrationName?

    init?(_ step: PlannedStep) {
        (patch, version, migration) = (step.patch, step.scriptVersion, step.migrationName)
        if version == nil, migration == nil { return nil }
    }
}
