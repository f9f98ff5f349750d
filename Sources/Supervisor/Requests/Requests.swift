import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchStore
import Synchronization

/// Answers `requests/`: one JSON file a command.
struct Requests: Sendable {
    let context: DaemonContext
    let jobs: JobStore
    let slots: WorkerSlots
    let supervisors: [String: EndpointSupervisor]
    let requested: Configuration
    /// Of commands that concern no single endpoint.
    let answers: DeferredAnswers

    /// So many requests of one user are answered before it is looked what else there is to do.
    private static let most = 8
    /// The same for all users together who may not command.
    private static let mostRefused = 32

    private var files: RequestFiles { RequestFiles(context: context) }

    /// Answers what is there, but for what has to be carried out beside the loop first: of each user only the oldest few, so
    /// that nobody waits for thousands that another has put there.
    ///
    /// - Returns: whether there may be more to do at once, and whether something is still being written.
    func answerSome() async throws -> (answered: Bool, isOpen: Bool) {
        guard let found = try context.spool.requestScan.advance() else { return (true, false) }
        let requests = try Directory.open(context.spool.requests)
        let authorization = context.authorization
        let refused = found.filter { authorization.commands(of: $0.key) == .none }
        let entitled = found.filter { refused[$0.key] == nil }.values.joined()
        var count = try refuse(refused, in: requests)
        var answered: [UInt32: Int] = [:]
        var isOpen = false
        for entry in entitled.sorted(by: SpoolScan.Entry.isOlder) {
            let uid = entry.status.uid
            guard answered[uid, default: 0] < Self.most else { continue }
            switch try await answer(entry, in: requests, authorization) {
            case .answered:
                answered[uid, default: 0] += 1
                count += 1
            case .isOpen: isOpen = true
            case .deferred: break
            }
        }
        try forgetWithdrawn(requests)
        return (count > 0, isOpen)
    }

    private enum Outcome {
        case answered
        /// It is still being written, or somebody keeps it from being read.
        case isOpen
        /// It is being carried out beside the loop.
        case deferred
    }

    private func answer(
        _ entry: SpoolScan.Entry, in requests: borrowing Directory, _ authorization: Authorization
    ) async throws -> Outcome {
        var record = files.record(of: entry)
        let answer: Answer
        if let problem = files.problem(of: entry) {
            answer = problem
        } else {
            let name = entry.name.description
            do {
                guard let bytes = try files.read(name, entry.status, in: requests) else { return .isOpen }
                guard let made = await self.answer(bytes, name, &record, authorization) else { return .deferred }
                answer = made
            } catch {
                answer = Answer(error)
            }
        }
        record.note(answer)
        context.audit(record)
        try files.give(answer, to: entry, isDurable: true, authorization)
        try files.remove(entry.name, from: requests)
        try requests.sync()
        context.logger.log(
            .request, "request \(files.shown(entry.name)) of uid \(entry.status.uid): \(answer.message)",
            await fields(record, answer))
        return .answered
    }

    /// - Returns: nil while it is carried out beside the loop.
    private func answer(
        _ bytes: [UInt8], _ name: String, _ record: inout AuditRecord, _ authorization: Authorization
    ) async -> Answer? {
        record.command = AdminRequest.word(bytes) ?? ""
        do {
            let request = try AdminRequest(bytes, file: name)
            record.job = request.job
            (record.endpoint, record.folder) = request.place
            (record.sha256, record.update) = request.named
            var job: Job?
            if let number = request.job { job = await jobs.job(number) }
            if let job {
                record.endpoint = job.endpoint
                if request.decidesOnArchive { record.sha256 = record.sha256 ?? job.sha256 }
            }
            guard authorization.mayCommand(record.uid, on: job) else {
                return files.notPermitted(record, "commands only on jobs that came from its own drops")
            }
            let own = RequestContext(
                daemon: context, jobs: jobs, slots: slots, supervisors: supervisors, requested: requested,
                answers: answers,
                request: "\(name) \(record.id)", uid: record.uid,
                user: files.user(record))
            return try await request.command.carryOut(in: own)
        } catch {
            return Answer(error)
        }
    }

    /// Refuses, without reading them, some of what was asked by users who may not command: each has his turn.
    ///
    /// - Returns: how many.
    private func refuse(_ found: SpoolScan.Found, in requests: borrowing Directory) throws -> Int {
        guard !found.isEmpty else { return 0 }
        let share = max(1, Self.mostRefused / found.count)
        // Who has waited for longest first.
        let queues = found.values.sorted { one, other in
            guard let first = one.first, let second = other.first else { return one.count > other.count }
            return SpoolScan.Entry.isOlder(first, than: second)
        }
        let entries = queues.flatMap { $0.prefix(share) }.prefix(Self.mostRefused)
        var records: [AuditRecord] = []
        var given: [(entry: SpoolScan.Entry, answer: Answer)] = []
        for entry in entries where try requests.status(entry.name)?.uid == entry.status.uid {
            var record = files.record(of: entry)
            let answer = files.notPermitted(record, "may not command")
            record.note(answer)
            records.append(record)
            given.append((entry, answer))
        }
        context.audit(records)
        for (entry, answer) in given {
            // Who loses this answer in a power cut asks again, and is refused again.
            try files.give(answer, to: entry, isDurable: false, context.authorization)
            try files.remove(entry.name, from: requests)
            let (uid, now) = (entry.status.uid, context.clocks.seconds)
            guard let count = context.spool.refusedRequests.withLock({ $0.note("\(uid)", at: now) }) else { continue }
            let more = count > 1 ? " (\(count) since this was last said)" : ""
            context.logger.log(
                .request, "request \(files.shown(entry.name)) of uid \(uid): \(answer.message)\(more)",
                EventFields(code: answer.code))
        }
        try requests.sync()
        return given.count
    }

    /// Forgets what was ordered by requests that are gone.
    private func forgetWithdrawn(_ requests: borrowing Directory) throws {
        func isThere(_ request: String) throws -> Bool {
            // The name, and what tells files of one name apart.
            let parts = request.split(separator: " ", omittingEmptySubsequences: false)
            let name = parts.dropLast(2).joined(separator: " ")
            return try requests.status(name).map { RequestFiles.id($0) } == parts.suffix(2).joined(separator: " ")
        }
        for request in answers.requests where try !isThere(request) { answers.forget(request) }
        for supervisor in supervisors.values {
            for request in supervisor.plans.requests where try !isThere(request) { supervisor.plans.forget(request) }
            for request in supervisor.answers.requests where try !isThere(request) {
                supervisor.answers.forget(request)
            }
        }
    }

    private func fields(_ record: AuditRecord, _ answer: Answer) async -> EventFields {
        var fields = EventFields(job: record.job, endpoint: record.endpoint ?? "", update: record.update ?? "")
        if let number = record.job, let job = await jobs.job(number) { fields = EventFields(job) }
        fields.folder = record.folder ?? ""
        fields.code = answer.code
        return fields
    }
}

extension AuditRecord {
    /// What was answered.
    fileprivate mutating func note(_ answer: Answer) {
        ok = answer.ok
        code = answer.code
        message = answer.message
        at = answer.note.at ?? at
        update = answer.note.update ?? update
    }
}
