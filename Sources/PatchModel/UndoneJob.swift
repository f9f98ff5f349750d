/// One job whose work in a folder is to be undone, as that job's ledger tells it: enough for a worker that knows nothing
/// else. `LedgerSummary.undoneJob` makes it from the ledger.
public struct UndoneJob: Hashable, Codable, Sendable {
    /// The job's number; its slots lie in `.patchd/jobs/<job>`.
    public var job: Int
    /// The update's name.
    public var update: String
    /// What the job did, in its order; `from` is the version that the folder has again afterwards.
    public var plan: FolderPlan
    /// Whether everything that an undo needs was marked complete before the first live byte changed.
    public var isPrepared: Bool
    /// Whether the job had come to its end in this folder.
    public var isDone: Bool
    /// Numbers of the scripts that were started, finished or not.
    public var ran: [Int]
    /// By step.
    public var slots: [StepSlot]

    /// A job to undo from its parts.
    public init(
        job: Int, update: String, plan: FolderPlan, isPrepared: Bool, isDone: Bool, ran: [Int], slots: [StepSlot]
    ) {
        self.job = job
        self.update = update
        self.plan = plan
        self.isPrepared = isPrepared
        self.isDone = isDone
        self.ran = ran
        self.slots = slots
    }

    /// A part of the way back.
    public enum Part: Hashable, Sendable {
        /// The number of a downgrade to run.
        case downgrade(Int)
        /// Files to bring back, in this order.
        case files([StepSlot])
    }

    /// The way back: the patches in reverse; of each first its downgrades, then its files, the last one first. So a
    /// downgrade finds the files that its upgrade ran with.
    ///
    /// Of a job that came to its end all downgrades run. Of a half-done one only those whose version's upgrade was
    /// started: an upgrade that was cut off counts, because nobody knows how far it came.
    public var parts: [Part] {
        var slots: [Int: StepSlot] = [:]
        for slot in self.slots { slots[slot.step] = slot }
        let downgrades = plan.downgrades.indices.map { plan.steps.count + $0 }.filter(isNeeded)
        var parts: [Part] = []
        for patch in patches.reversed() {
            parts += downgrades.filter { plan.step($0)?.patch == patch }.map(Part.downgrade)
            let files = plan.steps.indices.reversed().filter { number in
                plan.steps[number].patch == patch && plan.steps[number].kind != .script
            }.compactMap { slots[$0] }
            parts += StepSlot.runs(files).map(Part.files)
        }
        return parts
    }

    /// The scripts that ran and that no downgrade undoes.
    public var scriptsWithoutDowngrade: [PlannedStep] {
        let ways = Set(plan.downgrades.compactMap(Script.init))
        return ran.compactMap(plan.step).filter { step in Script(step).map { !ways.contains($0) } ?? true }
    }

    /// In the order in which the plan has them.
    private var patches: [String] {
        var known: Set<String> = []
        return (plan.steps + plan.downgrades.reversed()).map(\.patch).filter { known.insert($0).inserted }
    }

    private func isNeeded(_ downgrade: Int) -> Bool {
        if isDone { return true }
        guard let way = plan.step(downgrade).flatMap(Script.init) else { return false }
        return ran.contains { number in plan.step(number).flatMap(Script.init) == way }
    }

    /// A downgrade belongs to the upgrades of its patch that have its version.
    private struct Script: Hashable {
        var patch: String
        var version: Version

        init?(_ step: PlannedStep) {
            guard let name = ScriptName(step.path) else { return nil }
            patch = step.patch
            version = name.version
        }
    }
}
