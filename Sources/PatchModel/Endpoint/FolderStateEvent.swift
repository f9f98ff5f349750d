/// What can happen to a folder's state. ``FolderState/after(_:)`` is the only place that says what follows.
public enum FolderStateEvent: Hashable, Sendable {
    /// A job begins to change the folder, or resumes after a crash.
    case update(job: Int)
    /// A job updated it.
    case updated(to: Version, update: String, patches: [String: Bool], at: Timestamp)
    /// A job stopped in it.
    case fail(message: String, at: Timestamp)
    /// What a job did is being undone; `trace`: by a rollback, which has a trace of its own.
    case revert(job: Int, trace: Bool)
    /// A job was undone because it failed; `message` says why.
    case reverted(to: Version?, update: String, patches: [String: Bool], message: String, at: Timestamp)
    /// A rollback undid it.
    case rolledBack(to: Version, update: String, patches: [String: Bool], at: Timestamp)
    /// An admin said that it has a version, and up to which migration all are done.
    case baseline(Version, migrations: MigrationName? = nil, at: Timestamp)
    /// An admin leaves it as it is, in the middle of a job perhaps; `message` says what that is.
    case leave(message: String)
    /// What follows from the other folders; nil: the recommended version is not known just now.
    case compare(behind: Bool, diverged: Bool, recommended: Version??)
    /// The same directory has another name in the configuration, or lies elsewhere now.
    case move(folder: String, path: String, inode: UInt64?)
}

extension FolderState {
    /// The state after an event.
    ///
    /// - Throws: ``TransitionRefused`` where the event cannot happen in this state.
    public func after(_ event: FolderStateEvent) throws(TransitionRefused) -> FolderState {
        var next = self
        switch (status, event) {
        case (.current, .update(let job)), (.behind, .update(let job)), (.updating, .update(let job)),
            (.failed, .update(let job)):
            next.status = .updating
            next.job = job
            next.trace = Self.trace(of: folder, in: job)
        // Done already, where the daemon was killed before it recorded that in the job.
        case (.updating, .updated(let to, let update, let patches, let at)),
            (.current, .updated(let to, let update, let patches, let at)),
            (.behind, .updated(let to, let update, let patches, let at)):
            if version != to || self.update != update {
                if version != to { next.previousVersion = version }
                next.updatedAt = at
            }
            next.version = to
            next.status = .current
            next.message = ""
            next.update = update
            next.patches = patches
        // A resumed job may end before it comes to a folder in whose middle it is.
        case (.updating, .fail(let message, let at)), (.reverting, .fail(let message, let at)),
            (.failed, .fail(let message, let at)), (.current, .fail(let message, let at)),
            (.behind, .fail(let message, let at)):
            next.status = .failed
            next.message = message
            next.updatedAt = at
        // With `revertAll`, and in a rollback, a folder that is current goes back too.
        case (_, .revert(let job, let hasTrace)):
            next.status = .reverting
            next.job = job
            if hasTrace { next.trace = Self.trace(of: folder, in: job) }
        case (.reverting, .reverted(let to, let update, let patches, let message, let at)),
            (.current, .reverted(let to, let update, let patches, let message, let at)),
            (.behind, .reverted(let to, let update, let patches, let message, let at)):
            next.version = to
            next.settle(update, patches, message, at)
        case (.reverting, .rolledBack(let to, let update, let patches, let at)),
            (.current, .rolledBack(let to, let update, let patches, let at)),
            (.behind, .rolledBack(let to, let update, let patches, let at)):
            if version != to { next.previousVersion = version }
            next.version = to
            next.settle(update, patches, "", at)
        case (.current, .baseline(let version, let migrations, let at)),
            (.behind, .baseline(let version, let migrations, let at)),
            (.failed, .baseline(let version, let migrations, let at)):
            if self.version != version { next.previousVersion = self.version }
            next.version = version
            let upTo = migrations.map { ", with the migrations up to \($0).sql" } ?? ""
            next.settle("", [:], "an admin said that it has \(version)\(upTo)", at)
        case (.failed, .leave(let message)), (.current, .leave(let message)), (.behind, .leave(let message)),
            (.updating, .leave(let message)), (.reverting, .leave(let message)):
            if status != .current, status != .behind { next.message = message }
            next.status = .current
        case (_, .compare(let behind, let diverged, let recommended)):
            next.behind = behind
            next.diverged = diverged
            if let recommended { next.recommendedVersion = recommended }
            if status == .current || status == .behind { next.status = behind ? .behind : .current }
        // While it is half done its directory stays what it was (contract §5).
        case (.current, .move(let folder, let path, let inode)), (.behind, .move(let folder, let path, let inode)):
            next.folder = folder
            next.path = path
            next.inode = inode
        default:
            throw TransitionRefused("\(endpoint)/\(folder) is \(status.rawValue): it cannot \(event.verb)")
        }
        return next
    }

    private mutating func settle(_ update: String, _ patches: [String: Bool], _ message: String, _ at: Timestamp) {
        status = .current
        self.message = message
        self.update = update
        self.patches = patches
        updatedAt = at
    }

    private static func trace(of folder: String, in job: Int) -> String { "jobs/\(job)/traces/\(folder).log" }
}

extension FolderStateEvent {
    fileprivate var verb: String {
        switch self {
        case .update: "be updated"
        case .updated: "have been updated"
        case .fail: "fail"
        case .revert: "be reverted"
        case .reverted: "have been reverted"
        case .rolledBack: "have been rolled back"
        case .baseline: "be given a version"
        case .leave: "be left as it is"
        case .compare: "be compared with the others"
        case .move: "be moved"
        }
    }
}
