extension Model {
    /// `rollback JOB`.
    mutating func rollBack(_ number: Int) -> String {
        guard jobs.indices.contains(number - 1) else { return "unknownJob" }
        guard jobs[number - 1].target == nil, jobs[number - 1].isFinal else { return "wrongState" }
        return rollBack(.init(folder: nil, job: number, to: nil))
    }

    /// Refuses what is in the way, or makes a job of it.
    mutating func rollBack(_ target: ModelJob.Target) -> String {
        let (undone, code) = undone(target)
        guard undone != nil else { return code }
        var job = ModelJob(number: jobs.count + 1, update: jobs[target.job - 1].update)
        job.target = target
        jobs.append(job)
        return ""
    }

    /// By folder, the jobs to take back, newest first; nil and a code for what is refused.
    func undone(_ target: ModelJob.Target) -> ([String: [Int]]?, String) {
        var undone: [String: [Int]] = [:]
        if let folder = target.folder {
            let own = folders[index(folder)].effective
            guard let last = own.last, last.job == target.job else {
                return (nil, own.isEmpty ? "missing" : "dependency")
            }
            var jobs = [last.job]
            if let version = target.to {
                guard let oldest = own.lastIndex(where: { $0.from == version }) else { return (nil, "missing") }
                jobs = own[oldest...].reversed().map(\.job)
            }
            undone[folder] = jobs
            for below in descendants(of: folder) {
                let top = folders[index(below)].effective.reversed().prefix { jobs.contains($0.job) }.map(\.job)
                if !top.isEmpty { undone[below] = top }
            }
        } else {
            for folder in folders where folder.effective.contains(where: { $0.job == target.job }) {
                undone[folder.name] = [target.job]
            }
        }
        if undone.isEmpty { return (nil, "missing") }
        for folder in folders {
            let own = undone[folder.name] ?? []
            let all = own + ancestors(of: folder.name).flatMap { undone[$0] ?? [] }
            guard let oldest = all.map(turn).min() else { continue }
            if folder.effective.contains(where: { turn($0.job) > oldest && !own.contains($0.job) }) {
                return (nil, "dependency")
            }
        }
        return (undone, "")
    }

    private func turn(_ number: Int) -> Int { jobs[number - 1].turn }

    /// Runs a rollback: all of it, or nothing where some folder cannot go back.
    mutating func runRollback(_ number: Int) {
        guard let target = jobs[number - 1].target else { return }
        let (found, code) = undone(target)
        guard let undone = found else {
            // Resumed, it had a plan once; this one has none.
            jobs[number - 1].folders = [:]
            return fail(number, code)
        }
        jobs[number - 1].folders = Dictionary(
            uniqueKeysWithValues: folders.map { ($0.name, undone[$0.name] == nil ? "upToDate" : "pending") })
        let isIrreversible = undone.contains { name, jobs in
            jobs.contains { folders[index(name)].isIrreversible($0) }
        }
        if isIrreversible { return fail(number, "irreversible") }
        for folder in folders.reversed() {
            guard let own = undone[folder.name] else { continue }
            let at = index(folder.name)
            let (from, to) = (folder.version, folder.effective.first { own.contains($0.job) }?.from ?? folder.version)
            for job in own {
                folders[at].takeBack(job)
                if jobs[job - 1].folders[folder.name] == "failed" { jobs[job - 1].folders[folder.name] = "reverted" }
            }
            folders[at].version = to
            folders[at].note(.init(job: number, operation: "rollback", state: "done", from: from, to: to))
            jobs[number - 1].folders[folder.name] = "done"
        }
        jobs[number - 1].state = "done"
    }
}
