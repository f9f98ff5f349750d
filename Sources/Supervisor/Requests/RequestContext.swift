import PatchConfig
import PatchModel
import PatchPlan
import PatchStore

/// What carries out a request, in one file a command.
protocol RequestCommand: Sendable {
    /// Carries it out. Safe to repeat: a request is read again after a crash.
    ///
    /// - Returns: nil while it is carried out beside the loop.
    /// - Throws: ``Fault`` or ``Refusal`` where it cannot be, with what to do about it; nothing was changed then.
    func carryOut(in context: RequestContext) async throws -> Answer?
}

/// What a command works with, and who asked for it.
struct RequestContext: Sendable {
    let daemon: DaemonContext
    let jobs: JobStore
    let slots: WorkerSlots
    let locks: [String: Locks]
    let plans: OptionPlans
    let answers: DeferredAnswers
    let pendingNotices: PendingDatabaseNotices
    /// Which request it is, so that it is carried out once though it is read again after a crash.
    let request: String
    let uid: UInt32
    /// The user who asked, for people.
    let user: String

    /// An active folder, and the states of its endpoint.
    func find(_ name: String, _ folder: String) throws(Fault) -> (Endpoint, FolderStates) {
        guard let endpoint = daemon.endpoint(name), endpoint.activeFolders.contains(where: { $0.name == folder })
        else {
            throw Fault(.missing, "there is no active folder \(name)/\(folder); see: patchctl status")
        }
        return (endpoint, FolderStates(context: daemon, endpoint: endpoint))
    }

    /// Makes the locks what jobs and states demand now that a request has changed them.
    func setLocks(_ endpoint: Endpoint) async throws {
        guard let own = locks[endpoint.name] else { return }
        let wanted = EndpointLocks(endpoint: endpoint, states: FolderStates(context: daemon, endpoint: endpoint))
        let changed = try own.set(
            wanted.standing(for: await jobs.unfinished(endpoint.name), holding: await jobs.holding(endpoint.name)))
        pendingNotices.add(changed, on: endpoint)
    }
}
