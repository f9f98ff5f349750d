import Logging
import PatchFiles
import PatchModel
import PatchStore
import Synchronization

/// What other programs see over D-Bus (contract §14): the jobs and folders as the daemon recorded them last, and their changes,
/// one after the other. Each part of the daemon shows what it knows, and waits for nobody.
public final class PublishedState: Sendable {
    /// One of `Jobs`.
    public struct ShownJob: Hashable, Sendable {
        /// Its number.
        public let number: Int
        /// The endpoint's name.
        public let endpoint: String
        /// As in `job.json`.
        public let state: String
    }

    /// One of `Folders`.
    public struct ShownFolder: Hashable, Sendable {
        /// The endpoint's name.
        public let endpoint: String
        /// Its own.
        public let folder: String
        /// Empty where it has none.
        public let version: String
        /// As in its state file.
        public let status: String
    }

    /// What is sent to who listens.
    public enum Change: Hashable, Sendable {
        /// A job is new, or has another state.
        case job(ShownJob)
        /// A folder has another version or status.
        case folder(ShownFolder)
        /// An archive was taken: name and version of the update, and the dropped file's name.
        case arrived(name: String, version: String, file: String)
        /// The lists as a whole are others than before.
        case lists(jobs: Bool, folders: Bool)
    }

    private struct Known {
        /// By number; nil before they were shown for the first time.
        var jobs: [Int: ShownJob]?
        /// By endpoint and name.
        var folders: [String: [String: ShownFolder]] = [:]
        var changes: [Change] = []
        var haveJobsChanged = false
        var haveFoldersChanged = false
        /// Whether anybody can listen.
        var isReached = false

        mutating func add(_ change: Change) {
            if isReached, changes.count < PublishedState.most { changes.append(change) }
        }
    }

    /// Changes that wait for a bus that does not read. What comes on top is left out; that the lists have changed is said all
    /// the same.
    private static let most = 1000

    private let known = Mutex(Known())
    private let state: StateDirectory
    private let bus: (any SystemBus)?

    /// Nothing is shown yet.
    ///
    /// - Parameter bus: nil for none: then nobody sees anything.
    init(_ state: StateDirectory, on bus: (any SystemBus)? = nil) {
        self.state = state
        self.bus = bus
    }

    /// From here on others can see it, as far as there is a bus.
    func publish(_ logger: Logger) {
        if let bus { BusThread.start(bus, self, logger) }
    }

    // MARK: What the daemon shows

    /// The jobs that are kept, after each change of one of them.
    func show(jobs: [Job]) {
        change { known in
            let shown = jobs.reduce(into: [Int: ShownJob](minimumCapacity: jobs.count)) {
                $0[$1.job] = ShownJob(number: $1.job, endpoint: $1.endpoint, state: $1.state.rawValue)
            }
            if shown == known.jobs { return }
            if let before = known.jobs {
                let changed = shown.values.filter { before[$0.number] != $0 }.sorted { $0.number < $1.number }
                for job in changed { known.add(.job(job)) }
            }
            known.jobs = shown
            known.haveJobsChanged = true
        }
    }

    /// The endpoints in effect; the others are shown no more.
    func show(endpoints: [String]) {
        change { known in
            let shown = known.folders.filter { endpoints.contains($0.key) }
            if shown.count == known.folders.count { return }
            known.folders = shown
            known.haveFoldersChanged = true
        }
    }

    /// All folders of an endpoint in effect.
    func show(_ states: [String: FolderState], of endpoint: String, _ folders: [String]) {
        change { known in
            let before = known.folders[endpoint] ?? [:]
            let shown: [String: ShownFolder] = folders.reduce(into: [:]) { shown, folder in
                shown[folder] = states[folder].map { ShownFolder($0) }
            }
            if shown == before { return }
            known.folders[endpoint] = shown
            known.haveFoldersChanged = true
            for folder in shown.values.sorted(by: { $0.folder < $1.folder }) {
                if let old = before[folder.folder], old != folder { known.add(.folder(folder)) }
            }
        }
    }

    /// What became of one folder; of one that is not shown this changes nothing.
    func show(_ state: FolderState) {
        change { known in
            let shown = ShownFolder(state)
            guard let before = known.folders[state.endpoint]?[state.folder], before != shown else { return }
            known.folders[state.endpoint]?[state.folder] = shown
            known.haveFoldersChanged = true
            known.add(.folder(shown))
        }
    }

    /// An archive was taken and becomes jobs.
    func noteArrived(_ manifest: Manifest, from file: String) {
        change { $0.add(.arrived(name: manifest.name, version: manifest.version.description, file: file)) }
    }

    private func change(_ body: (inout Known) -> Void) {
        known.withLock { body(&$0) }
        bus?.wake()
    }

    // MARK: What is seen of it

    /// By number.
    public var jobs: [ShownJob] { known.withLock { $0.jobs ?? [:] }.values.sorted { $0.number < $1.number } }

    /// By endpoint and name.
    public var folders: [ShownFolder] {
        known.withLock { $0.folders }.values.flatMap(\.values).sorted {
            ($0.endpoint, $0.folder) < ($1.endpoint, $1.folder)
        }
    }

    /// Whether a user may see jobs: who may read `STATE/jobs`, and root alone where that cannot be seen.
    public func maySeeJobs(uid: UInt32, groups: [UInt32]) -> Bool {
        if uid == 0 { return true }
        guard let jobs = try? Directory.open(state.path + "/jobs"), let status = try? jobs.status() else {
            return false
        }
        if uid == status.uid { return status.mode & 0o400 != 0 }
        return status.mode & (groups.contains(status.gid) ? 0o040 : 0o004) != 0
    }

    /// The next change, in their order; that lists have changed when nothing else is left. Nil for none.
    public func nextChange() -> Change? {
        known.withLock { known in
            if !known.changes.isEmpty { return known.changes.removeFirst() }
            guard known.haveJobsChanged || known.haveFoldersChanged else { return nil }
            defer { (known.haveJobsChanged, known.haveFoldersChanged) = (false, false) }
            return .lists(jobs: known.haveJobsChanged, folders: known.haveFoldersChanged)
        }
    }

    /// Whether others can see it from now on. No older change is sent; that the lists have changed is, for who read them in the
    /// instant before.
    func set(isReached: Bool) {
        known.withLock { known in
            known.isReached = isReached
            known.changes = []
            (known.haveJobsChanged, known.haveFoldersChanged) = (isReached, isReached)
        }
    }
}

extension PublishedState.ShownFolder {
    init(_ state: FolderState) {
        self.init(
            endpoint: state.endpoint, folder: state.folder, version: state.version?.description ?? "",
            status: state.status.rawValue)
    }
}
