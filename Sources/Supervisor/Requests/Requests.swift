import Glibc
import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// Answers `requests/`: one JSON file a command.
struct Requests: Sendable {
    let context: DaemonContext
    let jobs: JobStore
    let slots: WorkerSlots
    let supervisors: [String: EndpointSupervisor]
    /// Of commands that concern no single endpoint.
    let replies: DeferredReplies

    struct Answer: Codable, Sendable {
        var ok: Bool
        var code: String
        var message: String
    }

    /// Bytes of a name to which the names of temporary files can still be added.
    static let longestName = 200

    /// So many requests of one user are answered before it is looked what else there is to do.
    private static let most = 8

    /// Answers what is there, but for what has to be planned first: of each user only the oldest few, so that nobody waits for
    /// thousands that another has put there.
    ///
    /// - Returns: whether anything was answered, so that there may be more, and whether something is still being written.
    func answerSome() async throws -> (answered: Bool, isOpen: Bool) {
        let requests = try Directory.open(context.spool.requests)
        var found: [(name: String, status: FileStatus)] = []
        for name in try requests.names() where name.hasSuffix(".json") && !name.hasPrefix(".") {
            if let status = try requests.status(name) { found.append((name, status)) }
        }
        found.sort { ($0.status.changed, $0.name) < ($1.status.changed, $1.name) }
        var answered: [UInt32: Int] = [:]
        var isOpen = false
        for (name, status) in found where answered[status.uid, default: 0] < Self.most {
            // Written in place and not closed yet: its end wakes the daemon again.
            if status.kind == .file, (try? requests.file(name))?.nobodyWrites() == false {
                isOpen = true
                continue
            }
            // Written while those before it were answered.
            guard try requests.status(name) == status else {
                isOpen = true
                continue
            }
            let id = Self.id(status)
            var record = AuditRecord(
                uid: status.uid, user: UserDatabase.name(of: status.uid) ?? "", request: name, id: id)
            guard let answer = try await answer(name, status, &record) else { continue }
            record.ok = answer.ok
            record.code = answer.code
            record.message = answer.message
            context.audit(record)
            if name.utf8.count <= Self.longestName { try give(answer, to: name, status) }
            try remove(name, from: requests)
            try requests.sync()
            context.logger.log(
                .request, "request \(name.prefix(Self.longestName)) of uid \(status.uid): \(answer.message)",
                await fields(record, answer))
            answered[status.uid, default: 0] += 1
        }
        let there = Set(found.map { "\($0.name) \(Self.id($0.status))" })
        replies.keep(only: there)
        for supervisor in supervisors.values {
            supervisor.plans.keep(only: there)
            supervisor.replies.keep(only: there)
        }
        return (!answered.isEmpty, isOpen)
    }

    private func fields(_ record: AuditRecord, _ answer: Answer) async -> EventFields {
        var fields = EventFields(job: record.job, endpoint: record.endpoint ?? "", update: record.update ?? "")
        if let number = record.job, let job = await jobs.job(number) { fields = EventFields(job) }
        fields.folder = record.folder ?? ""
        fields.code = answer.code
        return fields
    }

    /// Tells files of one name apart.
    private static func id(_ status: FileStatus) -> String { "\(status.inode) \(status.changed)" }

    /// - Returns: nil while it is being planned.
    private func answer(_ name: String, _ status: FileStatus, _ record: inout AuditRecord) async throws -> Answer? {
        do {
            return try await look(name, status, &record)
        } catch let refusal as Refusal {
            // The code of the refusal is never shown: an answer has its own codes.
            return Answer(ok: false, code: "requestInvalid", message: "\(refusal)")
        } catch let fault as Fault {
            return Answer(ok: false, code: fault.code.rawValue, message: "\(fault)")
        } catch {
            return Answer(ok: false, code: "io", message: "\(error)")
        }
    }

    private func look(_ name: String, _ status: FileStatus, _ record: inout AuditRecord) async throws -> Answer? {
        func invalid(_ message: String) -> Answer { Answer(ok: false, code: "requestInvalid", message: message) }
        guard name.utf8.count <= Self.longestName else {
            return invalid("a request's name has at most \(Self.longestName) bytes; there is no answer to this one")
        }
        guard status.kind == .file, status.links == 1, status.mode & 0o022 == 0 else {
            return invalid("a request is a plain file with one link that nobody else can write")
        }
        guard context.mayCommand(status.uid) else {
            let group = context.configuration.daemon.approvers
            let user = self.name(record)
            return Answer(
                ok: false, code: "notPermitted",
                message: "\(user) may not command; members of group \(group) may: \"adduser \(user) \(group)\"")
        }
        // Never blocks, and never follows a link; what was put in its place meanwhile is another file.
        let file = try Directory.open(context.spool.requests).file(name)
        guard try file.status() == status, status.size <= 65536 else {
            return invalid("a request has at most 64 KiB and is not changed")
        }
        let bytes = try file.read(limit: 65536)
        record.command = AdminRequest.word(bytes) ?? ""
        let command = try AdminRequest(bytes, file: name)
        record.job = command.job
        (record.endpoint, record.folder) = command.place
        if let job = command.job { record.endpoint = await jobs.job(job)?.endpoint }
        return try await carryOut(command, request: "\(name) \(record.id)", &record)
    }

    /// - Parameter request: which it is, so that it is carried out once though it is read again after a crash.
    private func carryOut(_ command: AdminRequest, request: String, _ record: inout AuditRecord) async throws -> Answer?
    {
        let made = await jobs.made(by: request)
        switch command {
        case .resume(let number, let assumed, let skipped):
            guard let job = await jobs.job(number) else { return unknown(number) }
            let below = context.endpoint(job.endpoint).map { endpoint in skipped.flatMap(endpoint.descendants) } ?? []
            let held = below.filter { [.failed, .blocked].contains(job.folders[$0]?.state) }
            guard try await jobs.resume(number, assuming: assumed, skipping: Set(skipped + held), request: request)
            else {
                return wrongState(
                    job,
                    job.isSettled ? "what failed was put back; drop the archive again" : "only a failed job is resumed"
                )
            }
            if !skipped.isEmpty { try await supervisors[job.endpoint]?.leave(skipped + held, of: job) }
            return Answer(ok: true, code: "", message: "job \(number) is resumed")
        case .cancel(let number):
            guard let job = await jobs.job(number) else { return unknown(number) }
            guard try await jobs.cancel(number, request: request) else {
                return wrongState(job, job.isHolding ? "roll it back, or resume it" : "it is over")
            }
            for (name, folder) in job.folders where folder.state == .running {
                context.workers.interrupt(
                    WorkerStart(phase: .apply, job: number, endpoint: job.endpoint, folder: name, path: "", user: nil))
            }
            if let held = await jobs.job(number), held.state == .failed {
                await supervisors[held.endpoint]?.locksAreDue()
                return Answer(
                    ok: true, code: "", message: "job \(number) holds what failed again; resume it, or roll it back")
            }
            return Answer(ok: true, code: "", message: "job \(number) is being cancelled")
        case .rollback where !made.isEmpty, .rollbackFolder where !made.isEmpty:
            return Answer(ok: true, code: "", message: "job \(made[0].job) rolls back")
        case .rollback(let number, let discardsData):
            guard let job = await jobs.job(number) else { return unknown(number) }
            guard job.operation == .apply, job.state.isFinal else {
                return wrongState(job, "only an apply that is over is rolled back")
            }
            return try await rollBack(RollbackTarget(job: number, discardsData: discardsData), job.endpoint, request)
        case .rollbackFolder(let name, let folder, let version, let discardsData):
            let (_, states) = try find(name, folder)
            let layers = try states.rollbackPlan(await jobs.order(of: name))
            guard let number = layers.jobOnTop(of: folder, without: []) else {
                throw Fault(folder: folder, .missing, "there is nothing to roll back: no job is in effect")
            }
            return try await rollBack(
                RollbackTarget(folder: folder, job: number, to: version, discardsData: discardsData), name, request)
        case .catchup(let name, let folder, let force):
            let (endpoint, states) = try find(name, folder)
            return try await catchUp(folder, endpoint, states, force: force, request)
        case .baseline(let name, let folder, let version):
            let (endpoint, _) = try find(name, folder)
            if let job = await jobs.occupant(of: name) { return isHeld(endpoint, by: job) }
            guard let supervisor = supervisors[name] else { return unknownEndpoint(name) }
            let answer = try supervisor.replies.answer(
                DeferredReplies.Reply(request: request, endpoint: name) {
                    try await baseline(folder, version, endpoint, supervisor)
                })
            if answer == nil { supervisor.turn.raise() }
            return answer
        case .approve(let number, let sha256, let options):
            return try await approve(number, sha256: sha256, options: options, request, &record)
        case .decline(let number): return try await decline(number, request, &record)
        case .mark(let update, let isUnstable): return try await mark(update, unstable: isUnstable, &record)
        case .gc:
            return try replies.answer(DeferredReplies.Reply(request: request) { try await collect() })
        }
    }

    /// Lets go of what is no longer kept.
    private func collect() async throws -> Answer {
        let retention = Retention(context: context, jobs: jobs, slots: slots)
        var count = 0
        for endpoint in context.configuration.endpoints { count += try await retention.run(endpoint) }
        return Answer(ok: true, code: "", message: "\(count) jobs forgotten")
    }

    func unknown(_ number: Int) -> Answer {
        Answer(ok: false, code: "unknownJob", message: "there is no job \(number); see: patchctl jobs")
    }

    func wrongState(_ job: Job, _ why: String) -> Answer {
        Answer(ok: false, code: "wrongState", message: "job \(job.job) is \(job.state.rawValue); \(why)")
    }

    private func isHeld(_ endpoint: Endpoint, by job: Job) -> Answer {
        wrongState(job, "it works on \(endpoint.name) or holds it; finish, cancel or roll it back first")
    }

    private func find(_ name: String, _ folder: String) throws(Fault) -> (Endpoint, FolderStates) {
        guard let endpoint = context.endpoint(name), endpoint.activeFolders.contains(where: { $0.name == folder })
        else {
            throw Fault(.missing, "there is no active folder \(name)/\(folder); see: patchctl status")
        }
        return (endpoint, FolderStates(context: context, endpoint: endpoint))
    }

    private func unknownEndpoint(_ name: String) -> Answer {
        Answer(ok: false, code: "missing", message: "there is no endpoint \(name); see: patchctl status")
    }

    private func rollBack(_ target: RollbackTarget, _ name: String, _ request: String) async throws -> Answer {
        guard let endpoint = context.endpoint(name), let job = await jobs.job(target.job) else {
            return unknown(target.job)
        }
        let stopped = await jobs.live(on: name).first { job in
            job.rollback != nil
                && job.folders.contains { folder, state in
                    [.failed, .blocked].contains(state.state) && (target.folder ?? folder) == folder
                }
        }
        if let stopped {
            return wrongState(
                stopped,
                "it rolls this back already and has stopped; see: patchctl show \(stopped.job), then: patchctl resume "
                    + "\(stopped.job) (--assume-done STEP, --skip FOLDER)")
        }
        let plan = try FolderStates(context: context, endpoint: endpoint).rollbackPlan(await jobs.order(of: name))
        let undone = try plan.jobs(for: target)
        let top = target.folder ?? endpoint.activeFolders.first { undone[$0.name] != nil }?.name ?? ""
        let version = plan.version(of: top, without: undone[top] ?? [])
        let number = try await jobs.createRollback(target, of: job, to: version, request: request)
        context.logger.log(
            .jobQueued, "job \(number): rollback of job \(target.job) on \(name)",
            EventFields(job: number, endpoint: name, folders: Array(undone.keys), update: job.update))
        let folders = endpoint.activeFolders.map(\.name).filter { undone[$0] != nil }
        return Answer(
            ok: true, code: "", message: "job \(number) rolls back \(folders.reversed().joined(separator: ", "))")
    }

    /// Takes a folder as it is for a version.
    private func baseline(
        _ folder: String, _ version: Version, _ endpoint: Endpoint, _ supervisor: EndpointSupervisor
    ) async throws -> Answer {
        if let job = await jobs.occupant(of: endpoint.name) { return isHeld(endpoint, by: job) }
        try await supervisor.baseline(folder, version)
        return Answer(ok: true, code: "", message: "\(endpoint.name)/\(folder) has \(version)")
    }

    /// Queues the kept updates that a folder has missed, oldest first.
    private func catchUp(
        _ folder: String, _ endpoint: Endpoint, _ states: FolderStates, force: Bool, _ request: String
    ) async throws -> Answer {
        let plan = CatchupPlan(endpoint: endpoint, states: try states.all())
        let history = try context.state.history(try plan.source(for: folder), of: endpoint.name)
        var missed: [Job] = []
        for number in try plan.jobs(for: folder, history: history) {
            if let job = await jobs.job(number) { missed.append(job) }
        }
        guard !missed.isEmpty else { throw Fault(folder: folder, .missing, "it has missed nothing") }
        for job in missed where try context.state.manifest(ofArchive: job.sha256) == nil {
            throw Fault(
                folder: folder, .missing,
                "the archive of \(job.update) \(job.version) (job \(job.job)) is no longer kept; drop it again with --only \(folder)"
            )
        }
        var numbers: [Int] = []
        for job in missed {
            numbers.append(try await jobs.createCatchup(folder, of: job, force: force, request: request))
        }
        return Answer(
            ok: true, code: "",
            message: "\(missed.count) updates follow, jobs \(numbers.map(String.init).joined(separator: ", "))")
    }
}
