/// What is under way beside the scheduler.
actor ActiveWork {
    enum Work: Hashable, Sendable {
        /// What one user has dropped is being taken.
        case intake(owner: UInt32)
        case notices
        /// A request that concerns no single endpoint.
        case reply
        case endpoint(String)
    }

    private var works: Set<Work> = []

    var isEmpty: Bool { works.isEmpty }

    /// How many users' drops are being taken.
    var intakes: Int { works.count { if case .intake = $0 { true } else { false } } }

    func contains(_ work: Work) -> Bool { works.contains(work) }

    /// False when it is under way already.
    func begin(_ work: Work) -> Bool { works.insert(work).inserted }

    func end(_ work: Work) { works.remove(work) }
}
