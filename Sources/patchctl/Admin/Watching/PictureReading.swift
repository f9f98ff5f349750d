import PatchFiles
import PatchModel
import PatchStore

/// Reads what a drawing shows besides the job itself. All of it is for people: what cannot be read is left out.
struct PictureReading {
    let directories: Directories
    private var trees: [Int: [(name: String, parent: String?)]] = [:]
    private var paces: [Int: Pace] = [:]

    init(_ directories: Directories) { self.directories = directories }

    mutating func picture(of job: Job) -> JobPicture {
        var picture = JobPicture(job: job)
        if trees[job.job] == nil, let plan = try? directories.state.overview(job: job.job) {
            trees[job.job] = plan.endpoints.first { $0.endpoint == job.endpoint }?.folders.map {
                ($0.plan.folder, $0.plan.parent)
            }
        }
        let tree = trees[job.job] ?? []
        picture.order = tree.map(\.name)
        picture.parents = Dictionary(tree.map { ($0.name, $0.parent) }) { first, _ in first }
        picture.left = paces[job.job, default: Pace()].left(of: job, at: MonotonicClock.seconds)
        if job.state == .running, job.admittedAt == nil || job.triedAt != nil,
            job.announcedAt ?? job.disconnectedAt != nil
        {
            look(into: job, &picture)
        }
        return picture
    }

    /// Only while applications are asked to leave: a folder's file system may be slow.
    private func look(into job: Job, _ picture: inout JobPicture) {
        let states = (try? directories.state.folders(of: job.endpoint)) ?? [:]
        let locks = FileLocks.all().filter { $0.kind == .flock }
        var pids: Set<Int32> = []
        for (name, folder) in job.folders where [.pending, .running].contains(folder.state) {
            guard let state = states[name], let directory = try? Directory.openWithoutLinks(state.path) else {
                continue
            }
            if picture.deadline == nil { picture.deadline = LockNotice.found(in: directory)?.deadline }
            guard let status = try? directory.status() else { continue }
            pids.formUnion(locks.filter { $0.inode == status.inode && !$0.writes }.map(\.pid))
        }
        picture.inside = pids.sorted().map { pid in
            RunningProcess(pid).name.map { "\($0) (pid \(pid))" } ?? "process \(pid)"
        }
    }
}
