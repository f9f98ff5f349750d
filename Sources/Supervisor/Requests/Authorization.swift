import Glibc
import PatchConfig
import PatchFiles
import PatchModel
import PatchStore

/// Who may command, and who may keep patchd away from something (contract §3, §5).
struct Authorization: Sendable {
    /// Which commands of a user's count.
    enum Commands: Sendable {
        case all
        /// Those on jobs that came from what the user dropped.
        case ownDrops
        case none
    }

    /// A user as far as it matters here.
    struct User: Sendable {
        var name: String
        var groups: [UInt32]
    }

    /// Fetches what sources offer; what comes from outside is never approved by who brought it.
    static let fetcher = "patchd-fetch"
    /// Passes on what a fleet's other hosts want.
    static let agent = "patchd-agent"

    /// The group whose members may command; nil where this host has none of that name.
    let approvers: UInt32?
    /// Nil where nobody has the number.
    let user: @Sendable (UInt32) -> User?

    /// As this host's databases say.
    init(approvers: String) {
        self.init(approvers: UserIdentity.group(named: approvers)) { uid in
            UserIdentity(uid: uid).map { User(name: UserDatabase.name(of: uid) ?? "", groups: $0.groups) }
        }
    }

    init(approvers: UInt32?, user: @escaping @Sendable (UInt32) -> User?) {
        self.approvers = approvers
        self.user = user
    }

    /// What a user may command: root and the members of the group everything.
    func commands(of uid: UInt32) -> Commands {
        if uid == 0 || uid == geteuid() { return .all }
        guard let approvers, let user = user(uid), user.groups.contains(approvers) else { return .none }
        switch user.name {
        case Self.fetcher: return .none
        case Self.agent: return .ownDrops
        default: return .all
        }
    }

    /// Whether a user may do with a job what the command asks.
    func mayCommand(_ uid: UInt32, on job: Job?) -> Bool {
        switch commands(of: uid) {
        case .all: true
        case .ownDrops: job?.drop?.owner == uid
        case .none: false
        }
    }

    /// Whether a user may keep patchd away from everything.
    func mayHoldAll(_ uid: UInt32) -> Bool { commands(of: uid) != .none }
}

extension DaemonContext {
    var authorization: Authorization { Authorization(approvers: configuration.daemon.approvers) }

    /// Whether a user may keep patchd away from a target: root and the approvers from all, a folder's owner from that folder,
    /// the root folder's owner also from its endpoint.
    func mayHold(_ target: Hold.Target, _ uid: UInt32, on endpoint: Endpoint) -> Bool {
        isEntitled(to: target, uid, on: endpoint) == true
    }

    /// The same; nil where it cannot be known who owns the folder.
    func isEntitled(to target: Hold.Target, _ uid: UInt32, on endpoint: Endpoint) -> Bool? {
        if authorization.mayHoldAll(uid) { return true }
        let folder: Folder?
        switch target {
        case .all: return false
        case .endpoint: folder = endpoint.folders.first { $0.parent == nil }
        case .folder(_, let name): folder = endpoint.folders.first { $0.name == name }
        }
        guard let folder else { return false }
        // As its state records it: the folder's own file system may not answer, and everybody would wait.
        guard let owner = (try? state.folder(folder.name, of: endpoint.name))?.owner, !owner.isEmpty else { return nil }
        return uid == (UserIdentity(named: owner)?.uid ?? UInt32(owner))
    }
}
