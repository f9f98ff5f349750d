import PatchModel

/// Why a folder is as it is, and what an admin does next: from its state, the jobs and the configuration, without I/O.
struct FolderCause: Hashable {
    /// A sentence; empty for a folder that is current, or of which nothing more is known.
    var reason: String
    /// A command; empty where nothing is to be done.
    var next: String

    private static let none = FolderCause(reason: "", next: "")

    /// - Parameters:
    ///   - state: the folder's.
    ///   - jobs: its endpoint's; empty where this user may not read them.
    ///   - parent: its reference folder's state; nil for the root, and where the tree is not known.
    ///   - isGone: it is no longer configured, and nothing of it is locked.
    init(_ state: FolderState, jobs: [Job], parent: FolderState?, isGone: Bool) {
        let name = "\(state.endpoint)/\(state.folder)"
        let own = jobs.last { $0.job == state.job }
        let active = jobs.last { !$0.state.isFinal && $0.operation != .test && Self.isOpen(state.folder, in: $0) }
        switch state.status {
        case _ where isGone:
            self.init(reason: "it is no longer in the configuration", next: "patchctl forget \(name)")
        case .current where state.diverged:
            self.init(reason: "it runs ahead of its reference folder\(parent.map { " \($0.folder)" } ?? "")", next: "")
        case .current where active?.isLocking == true: self = Self.goesOn(active, "it waits for its turn")
        case .current: self = Self.none
        case .updating, .reverting:
            let word = state.status == .updating ? "updates" : "rolls back"
            guard let job = active ?? own else {
                self.init(reason: state.message, next: "patchctl jobs")
                return
            }
            self.init(
                reason: "job \(job.job) \(word) it: \(job.update) \(job.version)\(Self.waiting(job))",
                next: "patchctl watch \(job.job)")
        case .failed:
            guard active == nil else {
                self = Self.goesOn(active, state.message)
                return
            }
            self.init(
                reason: state.message,
                next: state.job > 0 ? "patchctl resume \(state.job)" : "patchctl history \(name)")
        case .behind:
            if active != nil {
                self = Self.goesOn(active, "it waits for its reference folder\(parent.map { " \($0.folder)" } ?? "")")
                return
            }
            let blocking = jobs.last { $0.state == .failed && $0.folders[state.folder]?.state == .blocked }
            if let blocking {
                self.init(
                    reason: "job \(blocking.job) failed in a reference folder", next: "patchctl resume \(blocking.job)")
            } else if let parent, parent.status == .behind {
                self.init(
                    reason: "its reference folder \(parent.folder) is behind, which comes first",
                    next: "patchctl catchup \(state.endpoint)/\(parent.folder)")
            } else {
                let version = parent?.version.map { ", which has \($0)" } ?? ""
                self.init(
                    reason: "it is below its reference folder\(parent.map { " \($0.folder)" } ?? "")\(version)",
                    next: "patchctl catchup \(name)")
            }
        }
    }

    private init(reason: String, next: String) {
        self.reason = reason
        self.next = next
    }

    private static func goesOn(_ job: Job?, _ before: String) -> FolderCause {
        guard let job else { return none }
        let said = before.isEmpty ? "" : "\(before); "
        return FolderCause(
            reason: "\(said)job \(job.job) is \(job.state.rawValue)\(waiting(job))", next: "patchctl watch \(job.job)")
    }

    private static func waiting(_ job: Job) -> String { job.waitingFor.isEmpty ? "" : ", waits for \(job.waitingFor)" }

    /// Whether a job still has to do with a folder, as far as it is planned.
    private static func isOpen(_ folder: String, in job: Job) -> Bool {
        switch job.folders[folder]?.state {
        case .pending, .running, .failed, .blocked: true
        case .done, .upToDate, .excluded, .reverted: false
        case nil: false
        }
    }
}
