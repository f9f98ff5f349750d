import Logging
import PatchModel
import PatchPlan

/// Takes back what a job did, in all its folders or in one and those below it.
struct RollbackCommand: RequestCommand {
    /// What is taken back.
    enum Subject: Equatable, Sendable {
        case job(Int)
        case folder(endpoint: String, folder: String, to: Version?)
    }

    let subject: Subject
    let discardsData: Bool

    func carryOut(in context: RequestContext) async throws -> Answer? {
        if let made = await context.jobs.made(by: context.request).first { return .done("job \(made.job) rolls back") }
        switch subject {
        case .job(let number):
            guard let job = await context.jobs.job(number) else { return .unknown(number) }
            guard job.operation == .apply, job.state.isFinal else {
                return .wrongState(job, "only an apply that is over is rolled back")
            }
            return try await queue(RollbackTarget(job: number, discardsData: discardsData), job.endpoint, context)
        case .folder(let endpoint, let folder, let version):
            let (_, states) = try context.find(endpoint, folder)
            let layers = try states.rollbackPlan(await context.jobs.order(of: endpoint))
            guard let number = layers.jobOnTop(of: folder, without: []) else {
                throw Fault(folder: folder, .missing, "there is nothing to roll back: no job is in effect")
            }
            return try await queue(
                RollbackTarget(folder: folder, job: number, to: version, discardsData: discardsData), endpoint, context)
        }
    }

    private static func stopped(in job: Job) -> String {
        job.folders.filter { $0.value.state == .failed }.keys.sorted().joined(separator: ", ")
    }

    private func queue(_ target: RollbackTarget, _ name: String, _ context: RequestContext) async throws -> Answer {
        guard let endpoint = context.daemon.endpoint(name), let job = await context.jobs.job(target.job) else {
            return .unknown(target.job)
        }
        let about = target.folder.map { Set([$0] + endpoint.descendants(of: $0)) }
        let stopped = await context.jobs.live(on: name).first { job in
            job.rollback != nil
                && job.folders.contains { folder, state in
                    [.failed, .blocked].contains(state.state) && about?.contains(folder) ?? true
                }
        }
        if let stopped {
            return .wrongState(
                stopped,
                "it is a rollback, and has stopped in \(Self.stopped(in: stopped)); see: patchctl show \(stopped.job), then: patchctl resume "
                    + "\(stopped.job) (--assume-done STEP, --skip FOLDER)")
        }
        let states = FolderStates(context: context.daemon, endpoint: endpoint)
        let plan = try states.rollbackPlan(await context.jobs.order(of: name))
        let undone = try plan.jobs(for: target)
        let top = target.folder ?? endpoint.activeFolders.first { undone[$0.name] != nil }?.name ?? ""
        let version = plan.version(of: top, without: undone[top] ?? [])
        let number = try await context.jobs.createRollback(target, of: job, to: version, request: context.request)
        context.daemon.logger.log(
            .jobQueued, "job \(number): rollback of job \(target.job) on \(name)",
            EventFields(job: number, endpoint: name, folders: Array(undone.keys), update: job.update))
        let folders = endpoint.activeFolders.map(\.name).filter { undone[$0] != nil }
        return .done("job \(number) rolls back \(folders.reversed().joined(separator: ", "))")
    }
}
