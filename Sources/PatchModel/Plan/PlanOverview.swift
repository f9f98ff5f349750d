/// `jobs/<n>/plan.json`: a job's plan without the steps of its folders, each of which has a file of its own. Who asks only
/// where folders stand reads this, however many files the update brings.
public struct PlanOverview: Hashable, Codable, Sendable {
    /// One endpoint's part.
    public struct Endpoint: Hashable, Codable, Sendable {
        /// The endpoint's name.
        public var endpoint: String
        /// Everything that keeps the job from starting; empty when it may.
        public var faults: [Fault]
        /// What an admin should know although the job may start.
        public var warnings: [String]
        /// Folders that could no longer be used afterwards.
        public var unusable: [String]
        /// What goes first; nil for nothing.
        public var canary: CanaryPlan?
        /// What the scripts may reach beyond their folders; nil for what all may.
        public var sandbox: Sandbox?
        /// Every active folder, parents first.
        public var folders: [FolderOverview]
        /// What came out when the scripts were tried on copies; nil where nobody asked for that.
        public var rehearsal: Rehearsal?
    }

    /// The form of this file: 1 has the steps of the folders in it.
    public var schema = 2
    /// Which of the directories `plan/<generation>` has the steps: a plan that is made again gets the next one, so that this
    /// file never goes with steps of another plan. 0 where the steps are in this file.
    public var generation: Int
    /// The update's name.
    public var update: String
    /// What folders would have afterwards.
    public var version: Version
    /// One for each endpoint.
    public var endpoints: [Endpoint]

    /// The overview of a whole plan.
    public init(_ report: PlanReport, generation: Int) {
        self.generation = generation
        update = report.update
        version = report.version
        endpoints = report.endpoints.map { plan in
            Endpoint(
                endpoint: plan.endpoint, faults: plan.faults, warnings: plan.warnings, unusable: plan.unusable,
                canary: plan.canary, sandbox: plan.sandbox, folders: plan.folders.map(FolderOverview.init),
                rehearsal: plan.rehearsal)
        }
    }

    /// The plan without the folders' steps.
    public var outline: PlanReport {
        PlanReport(
            update: update, version: version,
            endpoints: endpoints.map { part in
                var plan = EndpointPlan(
                    endpoint: part.endpoint, faults: part.faults, warnings: part.warnings, unusable: part.unusable,
                    canary: part.canary, folders: part.folders.map(\.plan))
                plan.sandbox = part.sandbox
                plan.rehearsal = part.rehearsal
                return plan
            })
    }
}

extension PlanOverview {
    /// Reads one, also from a plan of before the steps had files of their own.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        schema = try keys.decode(Int.self, forKey: .schema)
        generation = try keys.decodeIfPresent(Int.self, forKey: .generation) ?? 0
        update = try keys.decode(String.self, forKey: .update)
        version = try keys.decode(Version.self, forKey: .version)
        endpoints = try keys.decode([Endpoint].self, forKey: .endpoints)
    }
}

/// A folder's plan without its steps.
public struct FolderOverview: Hashable, Sendable {
    /// A step that is run, as far as others than the worker have to know it.
    public struct Run: Hashable, Codable, Sendable {
        /// What it does.
        public var kind: PlannedStep.Kind
        /// The script's name, the table of rows.
        public var path: String
        /// The patch that brings it.
        public var patch: String
        /// Of a migration; nil for any other.
        public var migration: MigrationRule?
    }

    /// The plan; its ``FolderPlan/steps`` and ``FolderPlan/downgrades`` are empty.
    public var plan: FolderPlan
    /// How many steps it has.
    public var count: Int
    /// How many downgrades it has.
    public var downgrades: Int
    /// Those of the steps that are run at their place, in order.
    public var runs: [Run]

    /// The overview of a plan.
    public init(_ plan: FolderPlan) {
        count = plan.steps.count
        downgrades = plan.downgrades.count
        runs = plan.steps.filter(\.kind.isRun).map {
            Run(kind: $0.kind, path: $0.path, patch: $0.patch, migration: $0.migration)
        }
        self.plan = plan
        self.plan.steps = []
        self.plan.downgrades = []
    }

    /// The scripts and rows that the folder's database knows, with the version that each belongs to.
    public func scripts(of update: String) -> [HistoryEntry.Effect.Script] {
        runs.compactMap { run in
            let step = PlannedStep(
                kind: run.kind, path: run.path, patch: run.patch, source: "", migration: run.migration)
            return StepKey(update: update, version: plan.to, step: step).map {
                .init(key: $0, version: step.scriptVersion ?? plan.to)
            }
        }
    }
}

extension FolderOverview: Codable {
    private enum CodingKeys: String, CodingKey { case count, downgradeCount, runs }

    /// Reads one, also from a plan of before the steps had files of their own.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init(try FolderPlan(from: decoder))
        guard let runs = try keys.decodeIfPresent([Run].self, forKey: .runs) else { return }
        count = try keys.decode(Int.self, forKey: .count)
        downgrades = try keys.decode(Int.self, forKey: .downgradeCount)
        self.runs = runs
    }

    /// The plan's own keys beside the counts.
    public func encode(to encoder: any Encoder) throws {
        try plan.encode(to: encoder)
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(count, forKey: .count)
        try keys.encode(downgrades, forKey: .downgradeCount)
        try keys.encode(runs, forKey: .runs)
    }
}
