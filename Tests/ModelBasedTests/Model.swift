/// One endpoint as the contract has it: no processes, no crashes, no time.
struct Model: Hashable {
    enum OnFailure: String, Hashable, CaseIterable {
        case hold, revert, revertAll
    }

    /// What a command comes to: the request's code (empty for one that was carried out, nil where there is no request)
    /// and the exit code of `patchd --once`.
    struct Outcome: Hashable {
        var answer: String?
        var exit: Int
    }

    var onFailure: OnFailure
    var retain: Int
    /// Whether the endpoint's `approval` is `required`.
    var asksForApproval = false
    /// Parents first.
    var folders: [ModelFolder]
    var jobs: [ModelJob] = []
    /// The archives that are kept.
    var archives: Set<TestUpdate> = []
    /// The files in `fail/`.
    var causes: Set<String> = []
    /// What is held, by the names of the files in `holds/`.
    var holds: Set<String> = []
    /// Whether no window is open now.
    var isClosed = false
    /// The folders that an application is in while they are free; it comes back after each update.
    var applications: Set<String> = []
    var rejected = 0
    /// Whether a job failed, or a file was refused, since the daemon was started.
    var hasFailed = false

    // MARK: The tree

    func index(_ folder: String) -> Int { folders.firstIndex { $0.name == folder } ?? 0 }

    func ancestors(of folder: String) -> [String] {
        guard let parent = folders[index(folder)].parent else { return [] }
        return [parent] + ancestors(of: parent)
    }

    func descendants(of folder: String) -> [String] {
        folders.map(\.name).filter { ancestors(of: $0).contains(folder) }
    }

    // MARK: What can be seen

    var holding: ModelJob? { jobs.last { $0.isHolding } }

    /// Below an ancestor that a job has raised.
    func isBehind(_ folder: String) -> Bool {
        ancestors(of: folder).map { folders[index($0)] }.contains {
            !$0.layers.isEmpty && $0.version > folders[index(folder)].version
        }
    }

    func status(of folder: String) -> String {
        if folders[index(folder)].half != nil { return "failed" }
        return isBehind(folder) ? "behind" : "current"
    }

    /// The phase of each lock.
    var locks: [String: String] {
        var phases: [String: String] = [:]
        for folder in folders {
            let own = holding?.folders[folder.name]
            if let own, ["failed", "blocked"].contains(own) {
                phases[folder.name] = own
            } else if let above = folder.parent.flatMap({ phases[$0] }) {
                phases[folder.name] = above == "behind" ? "behind" : "blocked"
            } else if isBehind(folder.name) {
                phases[folder.name] = "behind"
            }
        }
        return phases
    }

    // MARK: Commands

    /// Carries out a command, and what follows from it until nothing can run.
    mutating func carryOut(_ action: Action) -> Outcome {
        hasFailed = false
        var answer: String?
        switch action {
        case .drop(let update, let exclude, let only, let failing):
            drop(update, exclude, only, failing)
        case .byHand(let folder, let hand): change(folder, hand)
        case .hold(let target): holds.insert(target)
        case .unhold(let target): holds.remove(target)
        case .window(let isOpen): isClosed = !isOpen
        case .enter(let folder): applications.insert(folder)
        case .leave(let folder): applications.remove(folder)
        case .nothing: break
        case .gc(let retain):
            self.retain = retain
            forget()
            answer = ""
        case .approve(let job): answer = decide(job, isApproved: true)
        case .decline(let job): answer = decide(job, isApproved: false)
        case .cancel(let job): answer = cancel(job)
        case .resume(let job, let fixed, let assumed, let skip):
            if fixed { fix(job) }
            answer = resume(job, assumed, skip)
        case .rollbackJob(let job): answer = rollBack(job)
        case .rollbackFolder(let folder, let version):
            let last = folders[index(folder)].effective.last?.job
            answer = last.map { rollBack(.init(folder: folder, job: $0, to: version)) } ?? "missing"
        case .catchup(let folder): answer = catchUp(folder)
        }
        settle()
        let open = jobs.filter { !$0.isFinal }
        let isWaiting = open.contains { $0.state != "pendingApproval" }
        let exit = hasFailed ? 1 : isWaiting ? 5 : open.isEmpty ? 0 : 6
        return Outcome(answer: answer, exit: exit)
    }

    private mutating func drop(_ update: TestUpdate, _ exclude: [String], _ only: [String], _ failing: [String]) {
        for folder in failing { causes.insert(update.cause(in: folder)) }
        let names = Set(folders.map(\.name))
        if !names.isSuperset(of: exclude + only) || !Set(exclude).isDisjoint(with: only) {
            rejected += 1
            hasFailed = true
            return
        }
        archives.insert(update)
        if let held = holding, held.update == update, held.exclude == exclude, held.only == only, held.target == nil,
            resume(held.number, nil, []).isEmpty
        {
            return
        }
        var job = ModelJob(number: jobs.count + 1, update: update)
        (job.exclude, job.only) = (exclude, only)
        job.isDropped = true
        jobs.append(job)
    }

    private mutating func change(_ folder: String, _ hand: Action.Hand) {
        let at = index(folder)
        switch hand {
        case .change(let file): folders[at].files[file]?.text += "by hand\n"
        case .remove(let file): folders[at].files[file] = nil
        case .make(let file):
            if file.hasPrefix("d/") { folders[at].directories.insert("d") }
            folders[at].files[file] = .init(text: "foreign\n", mode: 0o644)
        case .removeLock, .copyLock: break
        case .copyArea:
            for job in folders[at].undo.keys { folders[at].undo[job]?.isKept = false }
            folders[at].brought = []
        }
    }

    private mutating func fix(_ number: Int) {
        guard let job = jobs.first(where: { $0.number == number }) else { return }
        for folder in folders { causes.remove(job.update.cause(in: folder.name)) }
    }

    private mutating func cancel(_ number: Int) -> String {
        guard jobs.indices.contains(number - 1) else { return "unknownJob" }
        guard !jobs[number - 1].isFinal else { return "wrongState" }
        let half = folders.filter { $0.half?.job == number }.map(\.name)
        if jobs[number - 1].isResumed, !half.isEmpty {
            // It has failed as before: what is half done stays locked.
            for (folder, state) in jobs[number - 1].folders where state == "pending" {
                jobs[number - 1].folders[folder] = half.contains(folder) ? "failed" : "blocked"
                jobs[number - 1].assumed.remove(folder)
            }
            jobs[number - 1].isResumed = false
            jobs[number - 1].state = "failed"
            jobs[number - 1].code = "cancelled"
            return ""
        }
        jobs[number - 1].state = "cancelled"
        jobs[number - 1].code = "cancelled"
        return ""
    }

    private mutating func decide(_ number: Int, isApproved: Bool) -> String {
        guard jobs.indices.contains(number - 1) else { return "unknownJob" }
        guard jobs[number - 1].state == "pendingApproval" else { return "wrongState" }
        jobs[number - 1].isApproved = isApproved
        jobs[number - 1].state = isApproved ? "queued" : "declined"
        return ""
    }

    private mutating func resume(_ number: Int, _ assumed: String?, _ skip: [String]) -> String {
        guard jobs.indices.contains(number - 1) else { return "unknownJob" }
        var job = jobs[number - 1]
        guard job.state == "failed", !job.isSettled else { return "wrongState" }
        let wasHolding = job.isHolding
        let isHeld = { [job] (folder: String) in ["failed", "blocked"].contains(job.folders[folder]) }
        guard skip.allSatisfy(isHeld) else { return "missing" }
        let skipped = Set(skip + skip.flatMap(descendants).filter(isHeld))
        let failed = job.folders.filter { $0.value == "failed" }.keys
        let goesOn = { [job] (folder: String) in
            ["failed", "blocked", "pending"].contains(job.folders[folder]) && !skipped.contains(folder)
        }
        if wasHolding, folders.contains(where: { goesOn($0.name) && $0.version != job.from[$0.name] }) {
            return "dependency"
        }
        if let assumed, failed.isEmpty || assumed != job.update.scriptName { return "missing" }
        for (folder, state) in job.folders where ["failed", "blocked", "pending"].contains(state) {
            if state == "failed", assumed != nil { job.assumed.insert(folder) }
            job.folders[folder] = skipped.contains(folder) ? "excluded" : "pending"
            if skipped.contains(folder) { folders[index(folder)].half = nil }
        }
        job.state = "queued"
        job.code = ""
        job.isResumed = wasHolding
        jobs[number - 1] = job
        return ""
    }

    private mutating func catchUp(_ folder: String) -> String {
        let own = folders[index(folder)]
        guard let parent = own.parent else { return "missing" }
        // What it has missed itself shows when those above it are through.
        if ancestors(of: folder).contains(where: { status(of: $0) != "current" }) { return "dependency" }
        let missed = folders[index(parent)].layers.map { jobs[$0.job - 1] }.filter {
            $0.update.version > own.version
        }
        if missed.isEmpty { return "upToDate" }
        guard missed.allSatisfy({ archives.contains($0.update) }) else { return "missing" }
        for job in missed {
            var new = ModelJob(number: jobs.count + 1, update: job.update)
            new.only = [folder]
            jobs.append(new)
        }
        return ""
    }

    /// Keeps archives and originals of the newest jobs only.
    mutating func forget() {
        let all = jobs.filter { $0.target == nil && $0.state != "declined" }.sorted {
            ($0.order, $0.number) < ($1.order, $1.number)
        }
        // The newest, and the newest of those that changed something.
        let kept = all.suffix(retain) + all.filter(\.hasBegun).suffix(retain)
        for job in all where job.isFinal && !job.isHolding && !kept.contains(job) {
            for at in folders.indices { folders[at].undo[job.number]?.isKept = false }
        }
        let needed = jobs.filter { !$0.isFinal || $0.isHolding } + kept
        archives.formIntersection(needed.map(\.update))
    }
}
