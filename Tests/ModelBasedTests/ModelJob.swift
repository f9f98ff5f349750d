/// A job of the model.
struct ModelJob: Hashable {
    /// What a rollback takes back.
    struct Target: Hashable {
        var folder: String?
        var job: Int
        var to: Int?
    }

    var number: Int
    var update: TestUpdate
    var exclude: [String] = []
    var only: [String] = []
    var target: Target?
    var state = "queued"
    var code = ""
    /// By folder: its state in the job.
    var folders: [String: String] = [:]
    /// What was equal when it was looked at, by folder.
    var equal: [String: Set<String>] = [:]
    /// The version that a folder had when it was looked at.
    var from: [String: Int] = [:]
    /// Folders in which an admin has done the script.
    var assumed: Set<String> = []
    var isPlanned = false
    /// Its place in the order in which jobs began.
    var turn = 0
    var order: Int { turn == 0 ? number : turn }
    /// Resumed, so that it has its turn before all others.
    var isResumed = false

    /// It was dropped, which is what may need approval; the rest was commanded.
    var isDropped = false
    /// What is to be approved, or was.
    var approvable = ""
    var isApproved = false

    var hasBegun: Bool { folders.values.contains { !["pending", "upToDate", "excluded"].contains($0) } }
    var isFinal: Bool { ["done", "failed", "cancelled", "declined"].contains(state) }
    /// Whether it failed in some folder and holds it until an admin acts.
    var isHolding: Bool { state == "failed" && folders.values.contains("failed") }
    /// Whether what failed was put back: nothing of it is left to be gone on with.
    var isSettled: Bool { !isHolding && folders.values.contains { ["reverted", "blocked"].contains($0) } }

    func isCorrected(by other: ModelJob) -> Bool {
        target == nil && other.target == nil && other.update.version == update.version && other.update != update
    }
}
