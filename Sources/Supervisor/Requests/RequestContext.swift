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
    let supervisors: [String: EndpointSupervisor]
    /// The configuration as it was read last, also what of it has to wait.
    let requested: Configuration
    /// Of commands that concern no single endpoint.
    let answers: DeferredAnswers
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

    /// Who owns an endpoint.
    func supervisor(of endpoint: String) throws(Fault) -> EndpointSupervisor {
        if let supervisor = supervisors[endpoint] { return supervisor }
        if daemon.endpoint(endpoint) == nil {
            throw Fault(.missing, "there is no endpoint \(endpoint); see: patchctl status")
        }
        throw Fault(.io, "endpoint \(endpoint) is left alone until patchd is restarted; see why: journalctl -u patchd")
    }

    /// Where the folders stand of a job that was ended in the pause after its canary, and the ways on.
    ///
    /// - Parameter what: what became of the job.
    func afterCanary(_ job: Job, _ what: String) async throws -> String {
        let states = try await supervisor(of: job.endpoint).folderStates()
        let others = job.folders.filter { $0.value.state == .pending }.keys.sorted()
        let locked = others.filter { states[$0]?.status == .behind && daemon.endpoint(job.endpoint)?.behind == .locked }
        let way = "drop the archive again to bring them up, or take back what was done: patchctl rollback \(job.job)"
        if locked.isEmpty { return "\(what); \(others.joined(separator: ", ")) keep their version; \(way)" }
        return "\(what); \(others.joined(separator: ", ")) keep their version, and stay locked where they are behind "
            + "(\(locked.joined(separator: ", "))); \(way)"
    }

    /// Has an endpoint carry out a command between two jobs.
    ///
    /// - Returns: nil until that is done.
    func carryOutLater(
        to endpoint: String, _ work: @escaping @concurrent @Sendable () async throws -> Answer
    ) throws -> Answer? {
        let supervisor = try supervisor(of: endpoint)
        let answer = try supervisor.answers.value(of: DeferredCommand(request: request, work: work))
        if answer == nil { supervisor.turn.raise() }
        return answer
    }
}
