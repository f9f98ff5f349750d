import PatchModel

/// Somebody keeps patchd away from folders that are about to be changed: the job waits, and does not fail.
struct JobDeferred: Error {
    /// For `waitingFor`.
    var reason: String
    /// The process that stayed inside; nil when it is a hold.
    var process: BlockingProcess?
}
