/// What is under way beside the main loop.
actor Busy {
    enum Work: Hashable, Sendable {
        case intake
        case notices
        case endpoint(String)
    }

    private var works: Set<Work> = []

    var isEmpty: Bool { works.isEmpty }

    func contains(_ work: Work) -> Bool { works.contains(work) }

    /// False when it is under way already.
    func begin(_ work: Work) -> Bool { works.insert(work).inserted }

    func end(_ work: Work) { works.remove(work) }
}
