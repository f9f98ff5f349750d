extension Model {
    /// Gives jobs their turns until none can run.
    mutating func settle() {
        while let number = next() {
            run(number)
            forget()
        }
        forget()
    }

    /// First come, first served, but a job waits while its dependency is nowhere or another one brings it.
    private mutating func next() -> Int? {
        let open = jobs.filter { !$0.isFinal && $0.state != "pendingApproval" }
        if let resumed = open.first(where: \.isResumed) { return isHeld(resumed) ? nil : resumed.number }
        for job in open { jobs[job.number - 1].state = "waiting" }
        if let holding {
            let way = open.first { $0.target != nil || holding.isCorrected(by: $0) }
            return way.flatMap { isHeld($0) || isTooEarly($0) ? nil : $0.number }
        }
        let updates = open.filter { $0.target == nil }
        // Where one is held, those that came later wait behind it, unless they are only to be looked at.
        var hasHeld = false
        for job in open where !hasHeld || isPlannedOnly(job) {
            // What is wrong with it, its preflight says.
            if job.target == nil, selection(job) == nil || !archives.contains(job.update) { return job.number }
            guard job.target != nil || isReady(job, among: updates), !isTooEarly(job) else { continue }
            if !isHeld(job) { return job.number }
            hasHeld = true
        }
        return nil
    }

    /// Whether a job's turn only shows what somebody has to approve.
    private func isPlannedOnly(_ job: ModelJob) -> Bool {
        asksForApproval && job.isDropped && !job.isPlanned && !job.isApproved
    }

    /// Whether a job has to wait for the window: what was dropped, until it has begun.
    private func isTooEarly(_ job: ModelJob) -> Bool {
        isClosed && job.isDropped && !job.hasBegun && !isPlannedOnly(job)
    }

    /// Whether a hold keeps a job away from what it would change, or from what is below that.
    private func isHeld(_ job: ModelJob) -> Bool {
        if isPlannedOnly(job) { return false }
        let changed: [String]
        if job.isPlanned {
            // What is done, or left out, is free.
            changed = job.equal.keys.filter { ["pending", "running"].contains(job.folders[$0] ?? "pending") }
        } else if let target = job.target {
            changed = (undone(target).0 ?? [:]).map(\.key)
        } else if holding != nil {
            // What a corrected archive would come to is known once it has put back what failed, or was approved.
            changed =
                job.isApproved
                ? job.folders.filter { $0.value == "pending" }.map(\.key) : folders.map(\.name)
        } else {
            changed = raises(job).map(\.name)
        }
        let affected = changed + changed.flatMap(descendants)
        return !holds.isDisjoint(with: ["ALL", "farm"] + affected.map { "farm.\($0)" })
    }

    private func isReady(_ job: ModelJob, among open: [ModelJob]) -> Bool {
        let raised = raises(job)
        let lacking = raised.filter { $0.version < job.update.version - 1 }
        if lacking.isEmpty { return true }
        for folder in lacking {
            var version = folder.version
            while version < job.update.version - 1 {
                let next = open.filter { other in
                    other.number != job.number && other.update.version > version
                        && other.update.version - 1 <= version
                        && raises(other).contains { $0.name == folder.name }
                }.map(\.update.version).max()
                guard let next else { break }
                version = next
            }
            if version >= job.update.version - 1 { return false }
        }
        return lacking.count < raised.count
    }

    private func raises(_ job: ModelJob) -> [ModelFolder] {
        (selection(job) ?? []).map { folders[index($0)] }.filter { $0.version < job.update.version }
    }

    /// The folders that a job is meant for; nil where `only` would let one run ahead.
    func selection(_ job: ModelJob) -> [String]? {
        let excluded = Set(job.exclude + job.exclude.flatMap(descendants))
        let named = Set(job.only + job.only.flatMap(descendants))
        for folder in job.only {
            let isAhead = ancestors(of: folder).contains {
                folders[index($0)].version < job.update.version && !named.contains($0)
            }
            if excluded.contains(folder) || isAhead { return nil }
        }
        return folders.map(\.name).filter { !excluded.contains($0) && (job.only.isEmpty || named.contains($0)) }
    }

    mutating func run(_ number: Int) {
        let job = jobs[number - 1]
        jobs[number - 1].isResumed = false
        if !job.hasBegun { jobs[number - 1].turn = (jobs.filter { $0.number != number }.map(\.turn).max() ?? 0) + 1 }
        if job.target != nil { return runRollback(number) }
        if let held = holding, held.number != number, held.isCorrected(by: job), !isPlannedOnly(job) {
            for folder in folders.reversed() where jobs[held.number - 1].folders[folder.name] == "failed" {
                revert(folder.name, held.number)
            }
        }
        if !job.isPlanned, !plan(number) { return }
        apply(number)
    }

    mutating func fail(_ number: Int, _ code: String) {
        jobs[number - 1].state = "failed"
        jobs[number - 1].code = code
        hasFailed = true
    }

    /// The preflight: whether the job goes on.
    private mutating func plan(_ number: Int) -> Bool {
        let job = jobs[number - 1]
        guard archives.contains(job.update) else {
            fail(number, "io")
            return false
        }
        guard let selected = selection(job) else {
            fail(number, "dependency")
            return false
        }
        let pending = raises(job)
        var states: [String: String] = [:]
        for folder in folders { states[folder.name] = selected.contains(folder.name) ? "upToDate" : "excluded" }
        for folder in pending { states[folder.name] = "pending" }
        jobs[number - 1].folders = states
        if pending.contains(where: { $0.version < job.update.version - 1 }) {
            fail(number, "dependency")
            return false
        }
        if onFailure != .hold, job.update.script == .oneWay, !pending.isEmpty {
            fail(number, "irreversible")
            return false
        }
        if pending.isEmpty {
            jobs[number - 1].state = "done"
            return false
        }
        if asksForApproval, job.isDropped {
            let plan = folders.map { "\($0.name) \(states[$0.name] ?? "") \($0.version)" }.joined(separator: ", ")
            guard job.isApproved, job.approvable == plan else {
                jobs[number - 1].state = "pendingApproval"
                jobs[number - 1].approvable = plan
                jobs[number - 1].isApproved = false
                jobs[number - 1].turn = 0
                return false
            }
        }
        jobs[number - 1].isPlanned = true
        for folder in pending {
            jobs[number - 1].equal[folder.name] = folder.equal(job.update)
            jobs[number - 1].from[folder.name] = folder.version
        }
        return true
    }

    private mutating func apply(_ number: Int) {
        let update = jobs[number - 1].update
        for at in folders.indices {
            let name = folders[at].name
            guard jobs[number - 1].folders[name] == "pending" else { continue }
            // A failed folder blocks all below it; one that was put back or left out, too.
            let isBlocked = ancestors(of: name).contains { above in
                ["failed", "blocked", "reverted"].contains(jobs[number - 1].folders[above]) || isSkipped(above, number)
            }
            if isBlocked {
                jobs[number - 1].folders[name] = "blocked"
                continue
            }
            let from = folders[at].version
            if folders[at].half?.job != number {
                folders[at].switchFiles(update, job: number, equal: jobs[number - 1].equal[name] ?? [])
            }
            let isThrough =
                jobs[number - 1].assumed.contains(name)
                || folders[at].runScript(update, job: number, fails: causes.contains(update.cause(in: name)))
            if isThrough {
                folders[at].commit(update, job: number)
            } else {
                folders[at].half = .init(job: number, from: from)
            }
            jobs[number - 1].folders[name] = isThrough ? "done" : "failed"
            folders[at].note(
                .init(
                    job: number, operation: "apply", state: isThrough ? "done" : "failed", from: from,
                    to: update.version))
            if !isThrough, onFailure != .hold { revert(name, number) }
        }
        let states = jobs[number - 1].folders.values
        guard states.contains(where: { ["failed", "reverted"].contains($0) }) else {
            jobs[number - 1].state = "done"
            return
        }
        if onFailure == .revertAll {
            for folder in folders.reversed() where jobs[number - 1].folders[folder.name] == "done" {
                revert(folder.name, number)
            }
        }
        fail(number, "script")
    }

    /// Whether a folder was left out of a job by `resume --skip`, below its version.
    private func isSkipped(_ folder: String, _ number: Int) -> Bool {
        jobs[number - 1].folders[folder] == "excluded" && jobs[number - 1].equal[folder] != nil
    }

    /// Undoes a job in a folder, from its own record.
    mutating func revert(_ folder: String, _ number: Int) {
        let at = index(folder)
        let version = folders[at].effective.last { $0.job == number }?.from ?? folders[at].version
        folders[at].takeBack(number)
        folders[at].version = version
        folders[at].note(
            .init(
                job: number, operation: "apply", state: "reverted", from: jobs[number - 1].update.version,
                to: version))
        jobs[number - 1].folders[folder] = "reverted"
    }
}
