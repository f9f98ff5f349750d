import Glibc
import PatchFiles
import PatchModel

/// Whose holds count (contract §3): root's, the daemon's own user's and the approvers', a folder's owner's on that folder, the root folder's owner's
/// also on its endpoint.
struct HoldRights {
    private let approvers: String
    /// The daemon's own user, which may hold everything: the state is its own. Nil before its first start.
    private let daemon: UInt32?
    /// By endpoint and folder.
    private let owners: [String: String]
    /// By endpoint, its root folder; empty where the configuration cannot be read.
    private let roots: [String: String]

    /// - Parameters:
    ///   - configuration: nil where this user cannot read it; then the default group approves.
    ///   - states: of all folders.
    init(_ directories: Directories, _ configuration: Configuration?, _ states: [FolderState]) {
        daemon = try? Directory.open(directories.stateDir).status().uid
        approvers = configuration?.daemon.approvers ?? "patchd"
        owners = Dictionary(states.map { ("\($0.endpoint)/\($0.folder)", $0.owner) }) { first, _ in first }
        roots = Dictionary(
            configuration?.endpoints.compactMap { endpoint in
                endpoint.folders.first { $0.parent == nil }.map { (endpoint.name, $0.name) }
            } ?? []
        ) { first, _ in first }
    }

    func mayHold(_ target: PatchModel.Hold.Target, _ uid: UInt32) -> Bool {
        if uid == 0 || uid == daemon || UserName.isMember(uid, of: approvers) { return true }
        let user = UserName.of(uid)
        switch target {
        case .all: return false
        case .folder(let endpoint, let folder): return owners["\(endpoint)/\(folder)"] == user
        case .endpoint(let endpoint):
            if let root = roots[endpoint] { return owners["\(endpoint)/\(root)"] == user }
            // Which one the root folder is, is not known here: it is among them.
            let all = owners.filter { $0.key.hasPrefix(endpoint + "/") }
            return !all.isEmpty && all.values.allSatisfy { $0 == user }
        }
    }

    /// Who may hold a target, for a message.
    func whoMay(_ target: PatchModel.Hold.Target) -> String {
        let group = "root and members of group \(approvers)"
        switch target {
        case .all: return group
        case .folder: return "\(group), and the folder's owner"
        case .endpoint: return "\(group), and the root folder's owner"
        }
    }
}
