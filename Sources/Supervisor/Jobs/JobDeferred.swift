import PatchModel

/// Somebody keeps patchd away from folders that are about to be changed: the job waits, and does not fail.
struct JobDeferred: Error {
    /// For `waitingFor`.
    var reason: String
    /// Who stayed inside; nil when it is a hold.
    var insider: Insider?
}
