import PatchConfig
import PatchFiles
import PatchJSON
import PatchModel
import PatchStore

/// Reads what `status` shows.
struct StatusReading {
    let directories: Directories
    let target: String?
    /// The tree's shape stands in the configuration only, which not everybody may read; nil also where it is refused.
    let configuration: Configuration?
    private let refused: String?

    init(_ directories: Directories, target: String?) {
        self.directories = directories
        self.target = target
        do throws(Failure) {
            configuration = try directories.configuration()
            refused = nil
        } catch {
            configuration = nil
            refused = error.message
        }
    }

    /// What is there, and why this user does not see all of it.
    func report() throws -> (report: StatusReport, notes: [String]) {
        var notes: [String] = []
        let all = try Target(nil).folders(directories)
        let states = try Target(target).folders(among: all)
        var jobs: [Job] = []
        do {
            jobs = try directories.liveJobs()
        } catch let error as StoreError {
            guard error.isPermission else { throw Failure(error.description) }
            notes.append("jobs are not shown: \(Directories.groupHint)")
        }
        let endpoints = Dictionary(grouping: states, by: \.endpoint).sorted { $0.key < $1.key }.map { name, states in
            StatusReport.Endpoint(
                endpoint: name,
                folders: folders(states, among: all.filter { $0.endpoint == name }, jobs.filter { $0.endpoint == name })
            )
        }
        let names = Set(endpoints.map(\.endpoint))
        var holds: [StandingHold] = []
        do {
            let list = try HoldList(
                directories, HoldRights(directories, configuration, all))
            holds = list.holds.filter { hold in hold.counts && (target == nil || concerns(hold, states)) }
            if list.leftOut > 0 { notes.append("\(list.leftOut) more files in holds/ are not shown") }
        } catch let error as FileError {
            notes.append("holds are not known here: \(error)")
        }
        let isReadable = directories.canReadConfiguration
        let report = StatusReport(
            configuration: .init(refused: isReadable ? refused : nil, readable: isReadable), holds: holds,
            units: try units(),
            endpoints: endpoints, jobs: OpenJobs.among(jobs.filter { target == nil || names.contains($0.endpoint) }))
        return (report, notes)
    }

    /// Units that are down since an update and should not be.
    private func units() throws -> [StatusReport.Unit] {
        guard try directories.hasDirectory("units.json") else { return [] }
        return try directories.reading { try directories.state.units() }.down.sorted { $0.key < $1.key }.map {
            name, due in
            StatusReport.Unit(
                unit: name, endpoints: due.endpoints, problem: due.problem, since: OrNull(wrappedValue: due.since),
                next: "systemctl start \(name)")
        }
    }

    /// A hold on an endpoint concerns its folders, one on everything all.
    private func concerns(_ hold: StandingHold, _ states: [FolderState]) -> Bool {
        hold.target == "ALL"
            || states.contains { hold.target == $0.endpoint || hold.target == "\($0.endpoint)/\($0.folder)" }
    }

    /// - Parameter all: of the same endpoint.
    private func folders(
        _ states: [FolderState], among all: [FolderState], _ jobs: [Job]
    ) -> [StatusReport.Folder] {
        let endpoint = configuration?.endpoints.first { $0.name == all.first?.endpoint }
        let parents = Dictionary(endpoint?.folders.map { ($0.name, $0.parent) } ?? []) { first, _ in first }
        let active = Set(endpoint?.activeFolders.map(\.name) ?? [])
        let all = Dictionary(all.map { ($0.folder, $0) }) { first, _ in first }
        return TreeOrder(endpoint).sorted(states).map { state in
            let parent = parents[state.folder] ?? nil
            let isConfigured = configuration == nil || parents[state.folder] != nil
            let lock = isConfigured && !mayBeLocked(state, jobs) ? nil : lock(on: state)
            let isGone = !isConfigured && lock == nil && ![.updating, .failed, .reverting].contains(state.status)
            return StatusReport.Folder(
                state: state, parent: parent,
                cause: FolderCause(state, jobs: jobs, parent: parent.flatMap { all[$0] }, isGone: isGone),
                isInactive: parents[state.folder] != nil && !active.contains(state.folder), isGone: isGone, lock: lock)
        }
    }

    /// Whether there is a reason to look into a folder: its file system may be slow, or hang.
    private func mayBeLocked(_ state: FolderState, _ jobs: [Job]) -> Bool {
        state.status != .current || state.behind || jobs.contains { !$0.state.isFinal && $0.operation != .test }
    }

    /// A folder's lock; nil also where this user cannot see it.
    private func lock(on state: FolderState) -> LockNotice? { (try? ApplicationFolder(state).lock()) ?? nil }
}
