import Glibc
import PatchFiles
import PatchModel
import PatchStore

extension Directories {
    /// Whether the daemon has ever run here.
    var hasState: Bool { get throws { try hasDirectory("endpoints") } }

    /// Whether something of the state exists; a state directory that is missing holds nothing.
    func hasDirectory(_ name: String) throws -> Bool {
        if access(stateDir, F_OK) != 0, errno == ENOENT { return false }
        return try state.exists(name)
    }

    /// One job, or why there is none.
    func job(_ number: Int) throws -> Job {
        try reading {
            guard let job = try state.job(number) else {
                throw Failure("there is no job \(number); \"patchctl jobs\" lists them")
            }
            return job
        }
    }

    /// All jobs; none before the daemon's first start.
    func jobs() throws -> [Job] {
        try reading { try readableJobs() }
    }

    /// The same, with the store's own error. Damaged ones are named on standard error.
    func readableJobs() throws -> [Job] {
        guard try hasDirectory("jobs") else { return [] }
        return try state.jobs(onDamage: Self.sayDamaged)
    }

    /// Without those that ended long ago and keep nothing, however many there are; with the store's own error.
    func liveJobs() throws -> [Job] {
        guard try hasDirectory("jobs") else { return [] }
        return try state.liveJobs(onDamage: Self.sayDamaged)
    }

    private static func sayDamaged(_ number: Int, _ error: StoreError) {
        Notes.line("job \(number) cannot be shown: \(error)")
    }

    /// Whether a daemon has the state directory: it keeps `lock` locked. True also where that cannot be seen.
    func hasDaemon() -> Bool {
        guard let top = try? Directory.open(stateDir) else { return access(stateDir, F_OK) == 0 || errno != ENOENT }
        guard let status = try? top.status("lock") else { return false }
        // Of any device: on some file systems a lock shows another one than its file does.
        return FileLocks.all().contains { $0.kind == .flock && $0.inode == status.inode }
    }

    /// Reads from the state; where this user may not, the failure says how to get the right.
    func reading<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as StoreError {
            throw Failure(error.isPermission ? "\(error); \(Self.groupHint)" : error.description)
        }
    }

    /// How this user may come to read jobs.
    static var groupHint: String {
        let group = "patchd"
        if UserName.isMember(of: group) {
            return
                "you are in group \(group), which may read jobs, plans and traces; the daemon's next start corrects the file's group"
        }
        if UserName.isMember(geteuid(), of: group) {
            return "you were added to group \(group), which may read jobs, plans and traces; log in again"
        }
        return "jobs, plans and traces are for members of group \(group): \"adduser \(UserName.own) \(group)\""
    }
}
