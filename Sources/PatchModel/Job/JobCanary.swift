/// A job's canary as it was planned, and how far it is. What the configuration says by now changes nothing of it.
public struct JobCanary: Hashable, Codable, Sendable {
    /// Which part of the job has its turn.
    public enum Stage: String, Codable, CaseIterable, Sendable {
        /// The folders that go first.
        case first
        /// Nobody's: the others wait.
        case paused
        /// The others'.
        case rest
    }

    /// What goes first.
    public var plan: CanaryPlan
    /// See ``Stage``.
    public internal(set) var stage: Stage
    /// When the pause ends by itself; nil before it, and where it waits for approval.
    public internal(set) var until: Timestamp?
    /// Who ended the pause before; nil: nobody.
    public internal(set) var approver: JobApproval.Approver?

    /// One whose folders have their turn.
    public init(_ plan: CanaryPlan) {
        self.plan = plan
        stage = .first
    }

    /// For `waitingFor`: which folders, and the ways on.
    func reason(job: Int) -> String {
        let names = plan.canaries.joined(separator: ", ")
        guard let until else { return "canary \(names), and an approval: patchctl approve \(job)" }
        return "canary \(names), until \(until); sooner with: patchctl approve \(job)"
    }
}

extension Job {
    /// Whether it keeps to the endpoint's canary: an apply that was dropped. An approver requested all others.
    public var keepsCanary: Bool { operation == .apply && !claim.isEmpty }

    /// Whether it is in the pause between its canary and the others.
    public var isPaused: Bool { state == .waiting && canary?.stage == .paused }

    /// Whether nothing but an approver lets it go on.
    public var needsApprover: Bool { state == .pendingApproval || isPaused && canary?.until == nil }

    /// Whether its canary is through, and of the others none has begun.
    public var isBetweenParts: Bool { canary.map { $0.stage != .first } ?? false && !hasBegunPart }

    /// Whether some folder was changed, or begun to be, of the part that has its turn; without a canary, of all.
    public var hasBegunPart: Bool {
        switch canary?.stage {
        case nil, .first: hasBegun
        case .paused: false
        case .rest: folders.contains { isInTurn($0.key) && $0.value.hasBegun }
        }
    }

    /// Whether a folder belongs to the part that has its turn.
    public func isInTurn(_ folder: String) -> Bool {
        guard let canary else { return true }
        switch canary.stage {
        case .first: return canary.plan.folders.contains(folder)
        case .paused: return false
        case .rest: return !canary.plan.folders.contains(folder)
        }
    }

    /// Whether what was done in a folder stays done, whatever happens to the rest of the job: users had it in the pause.
    public func isCommitted(_ folder: String) -> Bool {
        canary.map { $0.stage != .first && $0.plan.folders.contains(folder) } ?? false
    }
}
