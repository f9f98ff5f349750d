import PatchModel

/// Somebody keeps patchd away from folders that are about to be changed: the job waits, and does not fail.
struct JobDeferred: Error {
    /// For `waitingFor`.
    var reason: String
    /// The process that stayed inside; nil when it is a hold.
    var process: BlockingProcess?
    /// Seconds before which it is not tried again; nil where something says that it can be.
    var again: Double?
}
