import PatchJSON

/// The approval of a job (contract §7): who approved it, and what exactly was approved.
public struct JobApproval: Hashable, Codable, Sendable {
    /// Who approved.
    public struct Approver: Hashable, Codable, Sendable {
        /// The user's name.
        public var name: String
        /// The user's number.
        public var uid: UInt32
        /// When.
        public var at: Timestamp
        /// The archive's.
        public var sha256: String

        /// Memberwise.
        public init(name: String, uid: UInt32, at: Timestamp, sha256: String) {
            self.name = name
            self.uid = uid
            self.at = at
            self.sha256 = sha256
        }
    }

    /// SHA-256 of ``EndpointPlan/approvalText(sha256:options:)``: the archive, the options and the plan that an approver sees.
    public var digest: String
    /// Nil: nobody yet.
    public var by: Approver?
    /// Whether the preflight before the start gave the approved plan. From then on the job runs like any other.
    public var isConfirmed: Bool

    /// An approval that is waited for, or given.
    public init(digest: String, by: Approver? = nil) {
        self.digest = digest
        self.by = by
        isConfirmed = false
    }
}

extension Job {
    /// Whether it may change nothing yet because of the endpoint's `approval`. That is an apply that was dropped; an
    /// approver requested all others.
    public func needsApproval(on endpoint: Endpoint) -> Bool {
        endpoint.approval == .required && operation == .apply && !claim.isEmpty && !hasBegun && !isLocking
            && approval?.isConfirmed != true
    }

    /// Whether it is only planned when its turn comes, so that an approver can see the plan: neither windows nor holds
    /// matter yet.
    public func isPlannedOnly(on endpoint: Endpoint) -> Bool { needsApproval(on: endpoint) && approval?.by == nil }

    /// Whether an endpoint's windows limit its start: an apply that was dropped and has not begun.
    public func keepsWindows(of endpoint: Endpoint) -> Bool {
        operation == .apply && !claim.isEmpty && !hasBegun && !isLocking && !isPlannedOnly(on: endpoint)
    }
}

extension EndpointPlan {
    private struct Approved: Encodable {
        var sha256: String
        var options: String
        var plan: EndpointPlan
    }

    /// What an approval binds to, the same bytes for the same archive, options and plan. Left out is what does not
    /// decide what is done: faults and warnings, which describe the host at that moment, and the statements read from
    /// scripts, which the archive's sum covers.
    ///
    /// - Throws: `EncodingError`; a plan does not cause one.
    public func approvalText(sha256: String, options: UpdateOptions) throws -> [UInt8] {
        var plan = self
        plan.faults = []
        plan.warnings = []
        plan.rehearsal = nil
        for index in plan.folders.indices {
            for step in plan.folders[index].steps.indices { plan.folders[index].steps[step].statements = nil }
            for step in plan.folders[index].downgrades.indices { plan.folders[index].downgrades[step].statements = nil }
        }
        return try JSONText.line(
            Approved(sha256: sha256, options: String(decoding: options.strictJSON, as: UTF8.self), plan: plan))
    }
}
