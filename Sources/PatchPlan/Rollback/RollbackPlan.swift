public import PatchModel

/// Which jobs a rollback undoes in which folders (contract §7), from the folders' histories alone.
///
/// Why: docs/decisions/plans.md#jobs-have-a-turn-besides-their-number
public struct RollbackPlan: Sendable {
    /// One job that is in effect in a folder.
    public struct Layer: Hashable, Sendable {
        /// The job's number.
        public var job: Int
        /// The version before it.
        public var from: Version?
    }

    private let endpoint: Endpoint
    private let layers: [String: [Layer]]
    private let versions: [String: Version]
    private let order: [Int: Int]

    /// A plan for one endpoint.
    ///
    /// - Parameters:
    ///   - histories: by folder, oldest first.
    ///   - states: by folder. A folder that failed is in the middle of the job that its state names.
    ///   - order: by job, its place among those of the endpoint; a job that had to wait has a lower number than others
    ///     that lie below it.
    public init(
        endpoint: Endpoint, histories: [String: [HistoryEntry]], states: [String: FolderState], order: [Int: Int] = [:]
    ) {
        self.endpoint = endpoint
        self.order = order
        var layers = histories.mapValues(Self.layers)
        for (folder, state) in states where state.status == .failed && state.job > 0 {
            if layers[folder]?.last?.job != state.job {
                layers[folder, default: []].append(Layer(job: state.job, from: state.version))
            }
        }
        self.layers = layers
        versions = states.compactMapValues(\.version)
    }

    /// The jobs that are in effect in a folder, oldest first: those that were done, without those that were rolled back.
    public static func layers(_ history: [HistoryEntry]) -> [Layer] {
        var layers: [Layer] = []
        for entry in history {
            switch (entry.operation, entry.state) {
            case (.apply, .done):
                // Histories of earlier builds may contain the line twice.
                if layers.last?.job != entry.job { layers.append(Layer(job: entry.job, from: entry.from)) }
            // An automatic revert of a job that was done here.
            case (.apply, .reverted): layers.removeAll { $0.job == entry.job }
            case (.rollback, .done): layers.removeAll { (entry.undone ?? []).contains($0.job) }
            default: break
            }
        }
        return layers
    }

    /// By folder, the jobs to undo, newest first.
    ///
    /// - Throws: ``Fault`` `dependency` when a later job is in the way, naming all; `missing` when there is nothing to
    ///   undo.
    public func jobs(for target: RollbackTarget) throws(Fault) -> [String: [Int]] {
        var undone: [String: [Int]] = [:]
        if let folder = target.folder {
            undone[folder] = try jobs(in: folder, down: target.to)
            guard undone[folder]?.first == target.job else {
                throw Fault(
                    folder: folder, .dependency, "another job than \(target.job) is the last one by now; ask again")
            }
            let own = Set(undone[folder] ?? [])
            for below in endpoint.descendants(of: folder) {
                let top = (layers[below] ?? []).reversed().prefix { own.contains($0.job) }.map(\.job)
                if !top.isEmpty { undone[below] = top }
            }
        } else {
            for folder in endpoint.activeFolders.map(\.name) {
                if (layers[folder] ?? []).contains(where: { $0.job == target.job }) { undone[folder] = [target.job] }
            }
        }
        guard !undone.isEmpty else {
            throw Fault(.missing, "there is nothing to roll back: job \(target.job) is in effect in no folder")
        }
        try checkNothingIsInTheWay(undone)
        return undone
    }

    /// The version that a folder has after its jobs were undone.
    public func version(of folder: String, without jobs: [Int]) -> Version? {
        (layers[folder] ?? []).first { jobs.contains($0.job) }?.from
    }

    /// The job whose work is on top afterwards; nil for none.
    public func jobOnTop(of folder: String, without jobs: [Int]) -> Int? {
        (layers[folder] ?? []).last { !jobs.contains($0.job) }?.job
    }

    private func jobs(in folder: String, down version: Version?) throws(Fault) -> [Int] {
        let own = layers[folder] ?? []
        guard let last = own.last else {
            throw Fault(folder: folder, .missing, "there is nothing to roll back: no job is in effect")
        }
        guard let version else { return [last.job] }
        guard let oldest = own.lastIndex(where: { $0.from == version }) else {
            throw Fault(
                folder: folder, .missing,
                "cannot go back to \(version): no job that is in effect came from it; see: patchctl history \(folder)")
        }
        return own[oldest...].reversed().map(\.job)
    }

    private func place(_ job: Int) -> Int { order[job] ?? job }

    private func checkNothingIsInTheWay(_ undone: [String: [Int]]) throws(Fault) {
        var reasons: [String] = []
        for folder in endpoint.activeFolders.map(\.name) {
            let jobs = undone[folder] ?? []
            if let oldest = jobs.map(place).min() {
                let later = (layers[folder] ?? []).filter { place($0.job) > oldest && !jobs.contains($0.job) }
                reasons += later.map { "job \($0.job) raised \(folder) later" }
            }
            // Below a folder that goes back, what a later job raised would be above it.
            guard let above = endpoint.ancestors(of: folder).flatMap({ undone[$0] ?? [] }).map(place).min() else {
                continue
            }
            let later = (layers[folder] ?? []).filter { place($0.job) > above && !jobs.contains($0.job) }
            reasons += later.map { "job \($0.job) raised \(folder), which lies below, later" }
        }
        if reasons.isEmpty { return }
        var seen: Set<String> = []
        throw Fault(
            .dependency,
            "cannot roll back: \(reasons.filter { seen.insert($0).inserted }.joined(separator: "; ")); roll that back first"
        )
    }
}
