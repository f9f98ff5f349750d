/// Lets only so many folders be worked on at once, but one of each endpoint in any case: endpoints do not wait for each other,
/// whatever a script or the owner of a folder does to a worker.
actor WorkerSlots {
    /// How many folders are worked on at once.
    nonisolated let count: Int
    /// Below zero where endpoints work on the one folder that each may in any case.
    private var free: Int
    private var working: [String: Int] = [:]
    private var waiting: [(endpoint: String, turn: CheckedContinuation<Void, Never>)] = []

    init(_ count: Int) {
        self.count = count
        free = count
    }

    func take(for endpoint: String) async {
        if mayWork(endpoint) { return begin(endpoint) }
        await withCheckedContinuation { waiting.append((endpoint, $0)) }
    }

    func give(by endpoint: String) {
        free += 1
        working[endpoint, default: 1] -= 1
        // One place may let two go on: the one that it is, and the one that each endpoint has in any case.
        while let next = waiting.firstIndex(where: { mayWork($0.endpoint) }) {
            let (endpoint, turn) = waiting.remove(at: next)
            begin(endpoint)
            turn.resume()
        }
    }

    private func mayWork(_ endpoint: String) -> Bool { free > 0 || working[endpoint, default: 0] == 0 }

    private func begin(_ endpoint: String) {
        free -= 1
        working[endpoint, default: 0] += 1
    }
}
