import Synchronization

/// Requests that are carried out beside the main loop, because workers are started for them: nobody else is to wait for those.
/// The request stays where it is until it is answered; after a crash it is carried out again.
final class DeferredReplies: Sendable {
    /// One request's work.
    struct Reply: Sendable {
        /// Which request it is.
        var request: String
        /// Where no job may run meanwhile; nil for none.
        var endpoint: String?
        var work: @concurrent @Sendable () async throws -> Requests.Answer
    }

    private enum Stand: Sendable {
        case asked(Reply)
        case underWay
        case done(Result<Requests.Answer, any Error>)
    }

    private let stands = Mutex<[String: Stand]>([:])

    /// What came of a request; nil: nothing yet, and it is to be carried out with this at the latest.
    func answer(_ errand: Reply) throws -> Requests.Answer? {
        let done = stands.withLock { stands -> Result<Requests.Answer, any Error>? in
            if case .done(let result) = stands[errand.request] { return result }
            if stands[errand.request] == nil { stands[errand.request] = .asked(errand) }
            return nil
        }
        return try done?.get()
    }

    /// Forgets requests that were withdrawn or answered.
    func keep(only requests: Set<String>) { stands.withLock { $0 = $0.filter { requests.contains($0.key) } } }

    /// Those that nobody carries out yet.
    var asked: [Reply] {
        stands.withLock { stands in
            stands.values.compactMap { stand in if case .asked(let errand) = stand { errand } else { nil } }
        }
    }

    /// Whether nothing is to be carried out or answered.
    var isEmpty: Bool { stands.withLock(\.isEmpty) }

    func begin(_ errand: Reply) { stands.withLock { $0[errand.request] = .underWay } }

    /// - Parameter result: dropped when its request is gone.
    func end(_ errand: Reply, _ result: Result<Requests.Answer, any Error>) {
        stands.withLock { stands in
            if stands[errand.request] != nil { stands[errand.request] = .done(result) }
        }
    }
}
