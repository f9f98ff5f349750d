import PatchModel
import Synchronization

/// Locks that databases do not show yet. They are shown beside the main loop: the worker that does it is a process of who owns
/// the folder, and he may stop it for as long as he likes.
final class PendingDatabaseNotices: Sendable {
    private let changes = Mutex<[String: [String: UpdateLock?]]>([:])

    /// - Parameter changed: by folder, its lock now; nil for one that is free.
    func add(_ changed: [String: UpdateLock?], on endpoint: Endpoint) {
        let shown = changed.filter { name, _ in endpoint.folders.contains { $0.name == name && $0.database != nil } }
        if shown.isEmpty { return }
        changes.withLock { $0[endpoint.name, default: [:]].merge(shown) { $1 } }
    }

    /// What is to be shown on an endpoint; it counts as shown from then on.
    func take(_ endpoint: String) -> [String: UpdateLock?] {
        changes.withLock { $0.removeValue(forKey: endpoint) ?? [:] }
    }

    /// Where there is something to show.
    var endpoints: [String] { changes.withLock { $0.keys.sorted() } }
}
