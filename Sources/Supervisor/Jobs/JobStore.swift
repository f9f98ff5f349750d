import PatchModel
import PatchStore

/// All jobs. The files are the truth; this is the one place that writes them.
actor JobStore {
    let state: StateDirectory
    private let report: @Sendable (String) -> Void
    private let notices: NoticeQueue
    private(set) var jobs: [Int: Job] = [:]
    private(set) var index = JobIndex()
    /// Those that cannot be read; they have a number all the same.
    nonisolated let damaged: [DamagedJob]
    /// How many drops of an archive are being looked at, by its sum: what they find kept is not let go of.
    private(set) var arriving: [String: Int] = [:]
    /// Endpoints of which it has not been looked what is to be forgotten since jobs came or ended, and how many did.
    private var retentionDue: [String: Int] = [:]
    /// Jobs of which nothing is left to be forgotten.
    private(set) var forgotten: Set<Int> = []

    /// - Parameters:
    ///   - notices: get what a person waits for.
    ///   - report: takes one line on what runs, after each change.
    init(
        _ state: StateDirectory, notices: NoticeQueue, report: @escaping @Sendable (String) -> Void
    ) throws(StoreError) {
        self.state = state
        self.notices = notices
        self.report = report
        var damaged: [DamagedJob] = []
        for job in try state.jobs(onDamage: { damaged.append(DamagedJob($0, $1, in: state)) }) {
            jobs[job.job] = job
            index.note(job, before: nil)
        }
        self.damaged = damaged
    }

    /// The first job that may be at work on an endpoint and cannot be read; nil for none.
    nonisolated func damaged(on endpoint: String) -> DamagedJob? { damaged.first { $0.concerns(endpoint) } }

    /// What an endpoint's jobs keep may have to be forgotten.
    func markRetentionDue(_ endpoint: String) { retentionDue[endpoint, default: 0] += 1 }

    /// Changes of an endpoint's jobs after which retention has its turn though other jobs wait for theirs: it looks at all
    /// that were kept before.
    private static let retentionPatience = 64

    /// Whether it may; it is looked after now.
    ///
    /// - Parameter atOnce: false to wait for more of them while other jobs wait.
    func takeRetentionDue(_ endpoint: String, atOnce: Bool = true) -> Bool {
        guard let changes = retentionDue[endpoint] else { return false }
        if !atOnce, changes < Self.retentionPatience, !index.open(of: endpoint).isEmpty { return false }
        retentionDue[endpoint] = nil
        return true
    }

    /// Nothing is left to be forgotten of a job.
    func markForgotten(_ job: Int) { forgotten.insert(job) }

    private var nextNumber: Int { max(index.highest, damaged.map(\.job).max() ?? 0) + 1 }

    /// The versions of an update of which there are jobs.
    func versions(of update: String) -> Set<Version> {
        Set(jobs.values.filter { $0.update == update && $0.rollback == nil }.map(\.version))
    }

    /// An endpoint's jobs, oldest first.
    func all(of endpoint: String) -> [Job] {
        jobs.values.filter { $0.endpoint == endpoint }.sorted { $0.job < $1.job }
    }

    /// Those of an endpoint that are not at their end, oldest first.
    func open(of endpoint: String) -> [Job] { index.open(of: endpoint).compactMap { jobs[$0] } }

    /// What an endpoint's next turn follows from: the jobs that are not at their end, oldest first, the one that holds folders,
    /// and when the last test began.
    func queue(of endpoint: String) -> (open: [Job], holding: Job?, testedAt: Timestamp?) {
        (open(of: endpoint), holding(endpoint), index.testedAt(endpoint))
    }

    func job(_ number: Int) -> Job? { jobs[number] }

    /// Before an archive is looked for among those that are kept.
    func arrives(_ sha256: String) { arriving[sha256, default: 0] += 1 }

    /// Its jobs are made, or there are none.
    func arrived(_ sha256: String) { arriving[sha256, default: 1] -= 1 }

    /// Makes a job, unless the same drop has made it already.
    func create(
        endpoint: String, manifest: Manifest, sha256: String, options: UpdateOptions, claim: String, drop: JobDrop
    ) throws(StoreError) -> Int {
        if let made = index.jobs(from: claim).first(where: { jobs[$0]?.endpoint == endpoint }) { return made }
        var job = Job(
            job: nextNumber, endpoint: endpoint, update: manifest.name, version: manifest.version,
            sha256: sha256, options: options, claim: claim, createdAt: .now)
        job.drop = drop
        return try add(job)
    }

    private func add(_ job: Job) throws(StoreError) -> Int {
        try state.create(job)
        jobs[job.job] = job
        index.note(job, before: nil)
        markRetentionDue(job.endpoint)
        report(summary())
        return job.job
    }

    /// Changes a job and writes it when it is another afterwards.
    @discardableResult
    func change(_ number: Int, _ body: @Sendable (inout Job) -> Void) throws(StoreError) -> Job {
        guard var job = jobs[number] else { throw StoreError("cannot change job \(number): there is none") }
        let before = job
        body(&job)
        if job.state.isFinal {
            job.waitingFor = ""
            job.waitingSince = nil
        }
        if job != before {
            try state.write(job)
            jobs[number] = job
            index.note(job, before: before)
            if job.state.isFinal { markRetentionDue(job.endpoint) }
            if let notice = Notice(of: job, before: before) { notices.add(notice) }
            report(summary())
        }
        return job
    }

    /// Gives a job its turn. One that has changed nothing yet takes its place in the order of the endpoint's jobs anew.
    ///
    /// - Returns: nil for one that was cancelled before its turn.
    func begin(_ number: Int) throws -> Job? {
        guard let job = jobs[number], !job.state.isFinal else { return nil }
        if let steps = job.resumption {
            for (name, folder) in job.folders where folder.state == .pending {
                try goOn(number, name, assuming: steps[name])
            }
        }
        let last = index.lastOrder(of: job.endpoint)
        return try change(number) { job in
            job.state = .running
            job.waitingFor = ""
            job.waitingSince = nil
            job.insider = nil
            job.resumption = nil
            job.startedAt = job.startedAt ?? .now
            if !job.hasBegun, job.turn != last { job.turn = last + 1 }
        }
    }

    /// By job, its place in the order of an endpoint's jobs.
    func order(of endpoint: String) -> [Int: Int] {
        Dictionary(uniqueKeysWithValues: all(of: endpoint).map { ($0.job, $0.order) })
    }

    /// The job that failed in some folder and holds an endpoint until an admin acts; nil for none.
    func holding(_ endpoint: String) -> Job? {
        index.holding(endpoint).last.flatMap { jobs[$0] }
    }

    /// The job that accounts for an endpoint's locks: one that came to them and is not over, else one that failed and
    /// holds; nil for none.
    func unfinished(_ endpoint: String) -> Job? {
        open(of: endpoint).first(where: \.isLocking) ?? holding(endpoint)
    }

    private static let mostSummed = 5

    /// One line on what runs, for `systemctl status`.
    func summary() -> String {
        var lines = index.oldestOpen(Self.mostSummed).compactMap { jobs[$0] }.map { job in
            let pending = job.folders.values.filter { $0.state != .excluded && $0.state != .upToDate }
            let done = pending.count { $0.state == .done }
            let progress = job.state == .running && !pending.isEmpty ? " \(done)/\(pending.count)" : ""
            return "job \(job.job) on \(job.endpoint): \(job.update) \(job.version) \(job.state.rawValue)\(progress)"
        }
        if index.openCount > lines.count { lines.append("\(index.openCount - lines.count) more") }
        return lines.isEmpty ? "idle" : lines.joined(separator: "; ")
    }

    /// The jobs that a request has made already, before the daemon ended in the middle of it.
    func made(by request: String) -> [Job] {
        index.jobs(by: request).compactMap { jobs[$0] }.filter(\.claim.isEmpty)
    }

    /// Makes a job that takes back what another did.
    func createRollback(
        _ target: RollbackTarget, of undone: Job, to version: Version?, request: String
    ) throws(StoreError) -> Int {
        var job = Job(
            job: nextNumber, endpoint: undone.endpoint, update: undone.update,
            version: version ?? undone.version, sha256: undone.sha256, options: UpdateOptions(operation: .rollback),
            claim: "", createdAt: .now)
        job.rollback = target
        job.request = request
        return try add(job)
    }

    /// Makes a job that applies a kept update to one folder that has missed it.
    func createCatchup(_ folder: String, of missed: Job, force: Bool, request: String) throws(StoreError) -> Int {
        let made = made(by: request).first { $0.sha256 == missed.sha256 && $0.version == missed.version }
        if let made { return made.job }
        var options = missed.options
        options.only = [folder]
        options.exclude = []
        // It may have been marked unstable since.
        options.force = force
        var job = Job(
            job: nextNumber, endpoint: missed.endpoint, update: missed.update, version: missed.version,
            sha256: missed.sha256, options: options, claim: "", createdAt: .now)
        job.request = request
        return try add(job)
    }
}
