public import PatchModel

/// The facts of one folder that are needed before a job can be planned there.
public struct FolderQuestion: Hashable, Sendable {
    /// The folder, and its versions before and after. Its steps are the migrations of which the database is asked whether
    /// they are done.
    public var plan: FolderPlan
    /// Paths relative to the folder where a plain file is looked for, also through links (``WorkOrder/ask``).
    public var ask: [String]

    /// Memberwise.
    public init(plan: FolderPlan, ask: [String] = [], migrations: [PlannedStep] = []) {
        self.plan = plan
        self.plan.steps = migrations
        self.plan.downgrades = []
        self.ask = ask
    }
}

extension Planner {
    /// The questions of this job. Folders of which no facts are needed are left out, so that no worker is started
    /// there.
    ///
    /// - Throws: as ``plan()``.
    public func questions() throws(Refusal) -> [FolderQuestion] {
        guard contents.contains(where: { content in endpoint.folders.contains(where: content.needsFacts) }) else {
            return []
        }
        let lines = try plan().folders
        let programs = specificPrograms(lines).map(\.description)
        var questions: [FolderQuestion] = []
        for line in lines {
            guard let folder = endpoint.folders.first(where: { $0.name == line.folder }) else { continue }
            let chosen = line.state == .pending ? chosen(for: folder) : []
            let isNeeded = chosen.contains { $0.needsFacts(of: folder) }
            // Where a specific program goes depends on all folders, those that are left out too.
            guard isNeeded || !programs.isEmpty else { continue }
            let replaced = chosen.flatMap(\.replacedFiles).map(\.description)
            let migrations = folder.database == nil ? [] : chosen.flatMap(\.migrations).map(\.step)
            questions.append(
                FolderQuestion(plan: line, ask: Set(programs + replaced).sorted(), migrations: migrations))
        }
        return questions
    }
}
