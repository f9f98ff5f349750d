import PatchModel
import PatchStore

/// The jobs that are not over, or still keep something; the others are read when somebody asks for one. The files are the
/// truth; this is the one place that writes them.
actor JobStore {
    let state: StateDirectory
    /// What the folders' ledgers say.
    nonisolated let ledgers: FolderLedgers
    private var index: JobIndex
    /// Finds the jobs that are known without a look at all of them.
    private(set) var lookup = JobLookup()
    private let report: @Sendable ([Job]) -> Void
    /// Called after each change, with the endpoint that it concerns.
    private let onChange: @Sendable (String) -> Void
    /// Counts the changes: of two looks at the jobs it tells which is newer.
    private var revision = 0
    private let notices: NoticeQueue
    let clocks: any Clocks
    private(set) var jobs: [Int: Job] = [:]
    /// Of those under way, what is known of their files' texts.
    private var pages: [Int: JobPage] = [:]
    /// Those that cannot be read; they have a number all the same.
    nonisolated let damaged: [DamagedJob]
    /// How many drops of an archive are being looked at, by its checksum: the archive that they find is not removed.
    private(set) var arriving: [String: Int] = [:]
    /// Endpoints whose retention must be re-evaluated, and after how many changes of jobs.
    private var retentionDue: [String: Int] = [:]

    /// - Parameters:
    ///   - notices: get what a person waits for.
    ///   - report: takes all jobs that are known, after each change.
    ///   - onChange: takes the endpoint whose jobs changed.
    init(
        _ state: StateDirectory, notices: NoticeQueue, clocks: any Clocks, report: @escaping @Sendable ([Job]) -> Void,
        onChange: @escaping @Sendable (String) -> Void
    ) throws(StoreError) {
        self.onChange = onChange
        self.clocks = clocks
        self.state = state
        self.notices = notices
        self.report = report
        ledgers = FolderLedgers(state)
        var damaged: [DamagedJob] = []
        let stored = try state.jobIndex()
        var index = stored
        for number in stored.live.sorted() {
            // The index is written before the job is made.
            guard try state.hasJob(number) else {
                index.live.remove(number)
                continue
            }
            do throws(StoreError) { jobs[number] = try state.existingJob(number) } catch {
                if error.isPermission { throw error }
                damaged.append(DamagedJob(number, error, in: state))
            }
        }
        self.index = index
        for job in jobs.values { lookup.note(job, before: nil) }
        self.damaged = damaged
        try state.write(index)
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
        if !atOnce, changes < Self.retentionPatience, !lookup.open(of: endpoint).isEmpty { return false }
        retentionDue[endpoint] = nil
        return true
    }

    private var nextNumber: Int { index.next }

    /// The newest jobs stay known whatever they keep: a drop or a request that is read again after a crash finds the job that
    /// it made.
    private static let recent = 100

    /// Drops jobs that are over and keep nothing.
    func settle(_ settled: [Int]) throws(StoreError) {
        var changed = index
        for number in settled where number < index.next - Self.recent {
            guard let job = jobs[number], job.state.isFinal, !job.isHolding else { continue }
            changed.live.remove(number)
            if let turn = job.turn, turn != number { changed.turns[number] = turn }
        }
        if changed == index { return }
        try state.write(changed)
        for number in index.live.subtracting(changed.live) {
            try state.forgetWork(ofJob: number)
            if let job = jobs[number] { lookup.forget(job) }
            jobs[number] = nil
            ledgers.drop(number)
        }
        index = changed
    }

    /// The versions of an update of which there are jobs. Reads all jobs; for an admin's request.
    func versions(of update: String) throws(StoreError) -> Set<Version> {
        Set(
            try state.jobs { _, _ in }.filter { $0.update == update && $0.rollback == nil }.map(\.version))
    }

    /// An endpoint's jobs that are not over or keep something, oldest first.
    func all(of endpoint: String) -> [Job] {
        jobs.values.filter { $0.endpoint == endpoint }.sorted { $0.job < $1.job }
    }

    /// A job of any age; nil when there is none of that number, or it is over and its file damaged.
    func job(_ number: Int) -> Job? { jobs[number] ?? (try? state.job(number)) ?? nil }

    /// Those of an endpoint that are not over, oldest first.
    func open(of endpoint: String) -> [Job] { lookup.open(of: endpoint).compactMap { jobs[$0] } }

    /// What an endpoint's next turn follows from: the jobs that are not over, oldest first, those that hold folders, newest
    /// first, and when the last test began.
    func queue(of endpoint: String) -> (open: [Job], holding: [Job], testedAt: Timestamp?) {
        (open(of: endpoint), holding(endpoint), lookup.testedAt(endpoint))
    }

    /// Before an archive is looked for among those that are kept.
    func arrives(_ sha256: String) { arriving[sha256, default: 0] += 1 }

    /// Its jobs are made, or there are none.
    func arrived(_ sha256: String) { arriving[sha256, default: 1] -= 1 }

    /// Makes a job, unless the same drop has made it already.
    func create(
        endpoint: String, manifest: Manifest, sha256: String, options: UpdateOptions, claim: String,
        drop: JobDrop? = nil, signer: String = "",
        warnings: [String] = []
    ) throws(StoreError) -> Int {
        if let made = lookup.jobs(from: claim).first(where: { jobs[$0]?.endpoint == endpoint }) { return made }
        return try add(
            Job(
                job: nextNumber, endpoint: endpoint, update: manifest.name, version: manifest.version, sha256: sha256,
                options: options, claim: claim, createdAt: clocks.now, warnings: warnings, drop: drop, signer: signer))
    }

    private func add(_ job: Job) throws(StoreError) -> Int {
        // Known before it is there, so that no kill leaves one that no start finds; its number is used when it is there.
        var known = index
        known.live.insert(job.job)
        try state.write(known)
        try state.create(job)
        known.next = job.job + 1
        index = known
        jobs[job.job] = job
        revision += 1
        lookup.note(job, before: nil)
        markRetentionDue(job.endpoint)
        report(Array(jobs.values))
        onChange(job.endpoint)
        return job.job
    }

    /// Lets something happen to a job, and writes it when it is another afterwards.
    ///
    /// - Throws: ``TransitionRefused`` where that cannot happen to it as it stands; nothing is changed then.
    @discardableResult
    func apply(_ event: JobEvent, to number: Int) throws -> Job {
        guard let before = job(number) else { throw StoreError("cannot change job \(number): there is none") }
        let job = try before.after(event)
        if job == before { return job }
        var page = pages.removeValue(forKey: number) ?? JobPage()
        try state.write(job, through: &page)
        if !job.state.isFinal { pages[number] = page }
        // One that has been over for long may be changed as well: a rollback undoes it.
        if index.live.contains(number) {
            jobs[number] = job
            lookup.note(job, before: before)
        }
        revision += 1
        if job.state.isFinal { markRetentionDue(job.endpoint) }
        if let notice = Notice(of: job, before: before) { notices.add(notice) }
        report(Array(jobs.values))
        onChange(job.endpoint)
        return job
    }

    /// The same for a folder of a job.
    @discardableResult
    func apply(_ event: FolderJobEvent, to folder: String, of number: Int) throws -> Job {
        try apply(.folder(folder, event), to: number)
    }

    /// Gives a job its turn. One that has changed nothing yet takes its place in the order of the endpoint's jobs again.
    ///
    /// - Returns: nil for one that was cancelled before its turn.
    func begin(_ number: Int) throws -> Job? {
        guard let job = jobs[number], !job.state.isFinal else { return nil }
        if let steps = job.resumption {
            for (name, folder) in job.folders where folder.state == .pending {
                try goOn(number, name, assuming: steps[name])
            }
        }
        let last = lookup.lastOrder(of: job.endpoint)
        return try apply(.begin(turn: job.turn == last && last > 0 ? last : last + 1, at: clocks.now), to: number)
    }

    /// By job, its place in the order of an endpoint's jobs.
    func order(of endpoint: String) -> [Int: Int] {
        index.turns.merging(all(of: endpoint).map { ($0.job, $0.order) }) { $1 }
    }

    /// The jobs that failed in some folder and hold it until an admin acts; newest first.
    func holding(_ endpoint: String) -> [Job] { lookup.holding(endpoint).reversed().compactMap { jobs[$0] } }

    /// The jobs that are not over, and those that hold what failed: what locks and units follow from. Oldest first.
    func live(on endpoint: String) -> [Job] {
        (lookup.open(of: endpoint) + lookup.holding(endpoint)).sorted().compactMap { jobs[$0] }
    }

    /// ``live(on:)``, and how new that is.
    func snapshot(of endpoint: String) -> (jobs: [Job], revision: Int) { (live(on: endpoint), revision) }

    /// Whether a job has come to its locks and is not over.
    func hasActive(_ endpoint: String) -> Bool { open(of: endpoint).contains(where: \.isLocking) }

    /// A job that works on an endpoint, pauses there or holds it; nil for none.
    func occupant(of endpoint: String) -> Job? {
        open(of: endpoint).first { $0.isLocking || $0.hasBegun } ?? holding(endpoint).first
    }

    /// The jobs that a request has made already, before the daemon ended in the middle of it.
    func made(by request: String) -> [Job] {
        lookup.jobs(by: request).compactMap { jobs[$0] }.filter(\.claim.isEmpty)
    }

    /// Makes a job that takes back what another did.
    func createRollback(
        _ target: RollbackTarget, of undone: Job, to version: Version?, request: String
    ) throws(StoreError) -> Int {
        try add(
            Job(
                job: nextNumber, endpoint: undone.endpoint, update: undone.update, version: version ?? undone.version,
                sha256: undone.sha256, options: UpdateOptions(operation: .rollback), claim: "", createdAt: clocks.now,
                rollback: target, request: request))
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
        return try add(
            Job(
                job: nextNumber, endpoint: missed.endpoint, update: missed.update, version: missed.version,
                sha256: missed.sha256, options: options, claim: "", createdAt: clocks.now, request: request))
    }
}
