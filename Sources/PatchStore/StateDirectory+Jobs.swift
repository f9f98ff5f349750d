import Glibc
import PatchFiles
import PatchModel

extension StateDirectory {
    /// `jobs/<n>`, relative to the state directory.
    public static func place(ofJob job: Int) -> String { "jobs/\(job)" }

    /// All jobs that can be read, by number.
    ///
    /// - Parameter onDamage: told of each other one, which is there and never counts as none.
    /// - Throws: also when this user may not read them.
    public func jobs(onDamage: (_ number: Int, _ error: StoreError) -> Void) throws(StoreError) -> [Job] {
        let names = try files({ () throws(FileError) in try Directory.open(path + "/jobs").names() })
        return try jobs(names.compactMap({ Int($0) }), onDamage)
    }

    /// The jobs that the daemon knows (``JobIndex``), by number: what has ended long ago and keeps nothing costs nothing here.
    ///
    /// - Parameter onDamage: as of ``jobs(onDamage:)``.
    /// - Throws: as ``jobs(onDamage:)``.
    public func liveJobs(onDamage: (_ number: Int, _ error: StoreError) -> Void) throws(StoreError) -> [Job] {
        var live: [Int] = []
        for number in try jobIndex().live where try hasJob(number) { live.append(number) }
        return try jobs(live, onDamage)
    }

    private func jobs(
        _ numbers: [Int], _ onDamage: (_ number: Int, _ error: StoreError) -> Void
    ) throws(StoreError) -> [Job] {
        var found: [Job] = []
        for number in numbers.sorted() {
            do throws(StoreError) {
                found.append(try existingJob(number))
            } catch {
                if error.isPermission { throw error }
                onDamage(number, error)
            }
        }
        return found
    }

    /// Whether a job was made, readable or not.
    public func hasJob(_ number: Int) throws(StoreError) -> Bool { try exists("jobs/\(number)") }

    /// A job that was made.
    ///
    /// - Throws: also when its file is missing.
    public func existingJob(_ number: Int) throws(StoreError) -> Job {
        guard let job = try job(number) else {
            throw StoreError("cannot read job \(number): \"\(path)/jobs/\(number)/job.json\" is missing")
        }
        return job
    }

    /// Whether a job has orders, steps or ledgers of its folders.
    public func hasWork(ofJob number: Int) throws(StoreError) -> Bool {
        for name in Self.work where try exists("jobs/\(number)/\(name)") { return true }
        return false
    }

    private static let work = ["ledger", "plan", "orders"]

    /// Removes what a job that can no longer be rolled back has for its folders: steps, orders, ledgers. Its file, the
    /// overview of its plan and its traces stay.
    public func forgetWork(ofJob number: Int) throws(StoreError) {
        try files { () throws(FileError) in
            let own = try Directory.open(path + "/jobs/\(number)")
            // The ledgers first: without them nobody looks for the steps (``plan(job:)``), of which some may be left by a kill.
            for name in Self.work { try own.removeTree(name) }
        }
    }

    /// One job; nil when there is none of that number.
    public func job(_ number: Int) throws(StoreError) -> Job? { try read(Job.self, "jobs/\(number)/job.json") }

    /// Gives a new job its directory; it is there as a whole or not at all. When this fails nothing of it counts, and the
    /// same number may be given again.
    public func create(_ job: Job) throws(StoreError) {
        let draft = "jobs/.\(job.job).new"
        do throws(StoreError) { try make(job, draft) } catch {
            // Also what was renamed and could not be made durable: nobody knows of it, and the next try starts again.
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
        var page = JobPage()
        try write(job, through: &page)
    }

    /// Replaces a job's file, from what is known of its text.
    public func write(_ job: Job, through page: inout JobPage) throws(StoreError) {
        let place = "jobs/\(job.job)/job.json"
        let text: [UInt8]
        do { text = try page.text(of: job) } catch { throw StoreError("cannot write \"\(path)/\(place)\": \(error)") }
        try replace(place, with: text, mode: 0o640, isShared: true)
    }

    /// Lets the members of group patchd read.
    func share(_ relative: String) throws(StoreError) {
        guard geteuid() == 0, let group = Self.group("patchd") else { return }
        guard chown(path + "/" + relative, 0, group) == 0 else {
            throw StoreError(FileError("change the group of", path + "/" + relative))
        }
    }

    /// The same, with a mode that says so: what an older patchd made may have another.
    func share(_ relative: String, mode: mode_t) throws(StoreError) {
        try share(relative)
        guard chmod(path + "/" + relative, mode) == 0 else {
            throw StoreError(FileError("change the mode of", path + "/" + relative))
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

    /// Opens a folder's ledger for reading; nil when there is none.
    public func existingLedger(job: Int, folder: String) throws(StoreError) -> File? {
        do throws(FileError) {
            return try Directory.open(path + "/jobs/\(job)/ledger").file(folder)
        } catch {
            if error.number == ENOENT { return nil }
            throw StoreError(error)
        }
    }

    /// Puts another ledger in a folder's place, as a whole.
    ///
    /// - Parameter write: writes its records.
    public func replaceLedger(
        job: Int, folder: String, _ write: (borrowing File) throws -> Void
    ) throws {
        var problem: (any Error)?
        try files { () throws(FileError) in
            try Directory.open(path + "/jobs/\(job)/ledger").replaceFile(folder, mode: 0o600) {
                (file) throws(FileError) in
                do { try write(file) } catch {
                    problem = error
                    throw error as? FileError ?? FileError("write", file.path, number: EIO)
                }
            }
        }
        if let problem { throw problem }
    }
}
