import Glibc
import PatchFiles
import PatchJSON
import PatchModel

extension StateDirectory {
    /// `jobs/<n>`, relative to the state directory.
    public static func place(ofJob job: Int) -> String { "jobs/\(job)" }

    /// All jobs that can be read, by number.
    ///
    /// - Parameter onDamage: told of each other one, which is there and never counts as none.
    /// - Throws: also when this user may not read them.
    public func jobs(onDamage: (_ number: Int, _ error: StoreError) -> Void) throws(StoreError) -> [Job] {
        var found: [Job] = []
        let names = try files({ () throws(FileError) in try Directory.open(path + "/jobs").names() })
        for number in names.compactMap({ Int($0) }).sorted() {
            do throws(StoreError) {
                guard let job = try job(number) else {
                    throw StoreError("cannot read job \(number): \"\(path)/jobs/\(number)/job.json\" is missing")
                }
                found.append(job)
            } catch {
                if error.isPermission { throw error }
                onDamage(number, error)
            }
        }
        return found
    }

    /// One job; nil when there is none of that number.
    public func job(_ number: Int) throws(StoreError) -> Job? { try read(Job.self, "jobs/\(number)/job.json") }

    /// Gives a new job its directory; it is there as a whole or not at all. When this fails nothing of it counts, and the
    /// same number may be given again.
    public func create(_ job: Job) throws(StoreError) {
        let draft = "jobs/.\(job.job).new"
        do throws(StoreError) { try make(job, draft) } catch {
            // Also what was renamed and could not be made durable: nobody knows of it, and the next try begins anew.
            if let jobs = try? Directory.open(path + "/jobs") {
                try? jobs.removeTree("\(job.job)")
                try? jobs.removeTree(".\(job.job).new")
            }
            throw error
        }
    }

    private func make(_ job: Job, _ draft: String) throws(StoreError) {
        try files { () throws(FileError) in
            let jobs = try Directory.open(path + "/jobs")
            try jobs.removeTree(".\(job.job).new")
            try jobs.makeDirectory(".\(job.job).new", mode: 0o750)
            let own = try jobs.directory(".\(job.job).new")
            try own.makeDirectory("ledger", mode: 0o700)
            try own.makeDirectory("traces", mode: 0o750)
        }
        try write(job, draft + "/job.json", mode: 0o640, isShared: true)
        for shared in [draft, draft + "/traces"] { try share(shared) }
        try files { () throws(FileError) in
            let jobs = try Directory.open(path + "/jobs")
            try jobs.removeTree("\(job.job)")
            try jobs.renameNew(".\(job.job).new", to: jobs, "\(job.job)")
            try jobs.sync()
        }
    }

    /// Replaces a job's file.
    public func write(_ job: Job) throws(StoreError) {
        try write(job, "jobs/\(job.job)/job.json", mode: 0o640, isShared: true)
    }

    /// Replaces a job's plan.
    public func write(_ plan: PlanReport, job: Int) throws(StoreError) {
        try write(plan, "jobs/\(job)/plan.json", mode: 0o640, isShared: true)
    }

    /// Has a job planned anew when its turn comes.
    public func removePlan(job: Int) throws(StoreError) {
        try files { () throws(FileError) in try Directory.open(path + "/jobs/\(job)").remove("plan.json") }
    }

    /// A job's plan; nil before it is made.
    public func plan(job: Int) throws(StoreError) -> PlanReport? {
        try read(PlanReport.self, "jobs/\(job)/plan.json")
    }

    /// Lets the members of group patchd read.
    func share(_ relative: String) throws(StoreError) {
        guard geteuid() == 0, let group = Self.group("patchd") else { return }
        guard chown(path + "/" + relative, 0, group) == 0 else {
            throw StoreError(FileError("change the group of", path + "/" + relative))
        }
    }

    /// Opens a folder's ledger for reading and appending, creating it.
    public func ledger(job: Int, folder: String) throws(StoreError) -> File {
        try files { () throws(FileError) in
            try Directory.open(path + "/jobs/\(job)/ledger").appendingFile(folder, mode: 0o600)
        }
    }

    /// Whether a folder has a ledger in a job.
    public func hasLedger(job: Int, folder: String) throws(StoreError) -> Bool {
        try exists("jobs/\(job)/ledger/\(folder)")
    }

    /// Opens a folder's trace for programs, for appending, creating it. No worker may be writing it.
    public func trace(job: Int, folder: String) throws(StoreError) -> File {
        let file = try files { () throws(FileError) in
            let traces = try Directory.open(path + "/jobs/\(job)/traces")
            let file = try traces.appendingFile("\(folder).jsonl", mode: 0o640)
            try Self.cutTornLine(file)
            return file
        }
        // From its first line on: a job that runs, or was cancelled, is looked at too.
        try share("jobs/\(job)/traces/\(folder).jsonl")
        return file
    }

    /// A trace is not synced line by line, so a power cut may leave zeros or half a line at its end.
    private static func cutTornLine(_ file: borrowing File) throws(FileError) {
        let size = try file.status().size
        var whole = size
        while whole > 0 {
            let start = max(0, whole - 4096)
            let block = try file.read(at: start, limit: Int(whole - start))
            if let feed = block.lastIndex(of: UInt8(ascii: "\n")) {
                whole = start + Int64(feed) + 1
                break
            }
            whole = start
        }
        if whole < size { try file.truncate(to: whole) }
    }

    /// Everything that was traced of a folder in a job; nil when there is no trace. A line that is no event (what the
    /// runtime prints when a worker dies) becomes a message.
    public func events(job: Int, folder: String) throws(StoreError) -> [TraceEvent]? {
        guard
            let bytes = try files({ () throws(FileError) in
                try Directory.open(path).readFile("jobs/\(job)/traces/\(folder).jsonl", limit: 1 << 30)
            })
        else { return nil }
        var events: [TraceEvent] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if let event = try? JSONText.read(TraceEvent.self, line) {
                events.append(event)
            } else if let last = events.last {
                events.append(
                    TraceEvent(
                        at: last.at, job: job, endpoint: last.endpoint, folder: folder, step: "", event: .message,
                        text: String(decoding: line, as: UTF8.self)))
            }
        }
        return events
    }

    /// Makes the trace for programs durable, and writes the one for people anew from it.
    public func renderTrace(job: Int, folder: String) throws(StoreError) {
        if try exists("jobs/\(job)/traces/\(folder).jsonl") {
            let trace = try trace(job: job, folder: folder)
            try files { () throws(FileError) in try trace.sync() }
        }
        guard let events = try events(job: job, folder: folder) else { return }
        let text = events.map { $0.line + "\n" }.joined()
        try files { () throws(FileError) in
            try Directory.open(path + "/jobs/\(job)/traces").replaceFile(
                "\(folder).log", with: Array(text.utf8), mode: 0o640, owner: Self.sharedOwner)
        }
        try share("jobs/\(job)/traces/\(folder).jsonl")
    }
}
