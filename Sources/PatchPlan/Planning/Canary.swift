import PatchModel

/// The canary of one plan (contract §7).
struct Canary {
    private let endpoint: Endpoint
    private let plan: EndpointPlan
    private let raised: Set<String>

    /// - Parameters:
    ///   - plan: where each folder stands in it.
    ///   - raised: the folders that it gives another version.
    init(_ endpoint: Endpoint, _ plan: EndpointPlan, raised: Set<String>) {
        self.endpoint = endpoint
        self.plan = plan
        self.raised = raised
    }

    /// What goes first; nil where no configured folder is raised, or no other one.
    var choice: CanaryPlan? {
        let pending = plan.folders.filter { $0.state == .pending }.map(\.folder)
        let canaries = pending.filter(endpoint.canary.contains)
        var first = Set(canaries)
        for folder in endpoint.folders where canaries.contains(folder.name) {
            // A test folder may run ahead of its reference folder.
            if folder.role != .test { first.formUnion(endpoint.ancestors(of: folder.name)) }
        }
        first.formIntersection(pending)
        if canaries.isEmpty || first.count == pending.count { return nil }
        return CanaryPlan(
            canaries: canaries, folders: pending.filter(first.contains), pause: endpoint.canaryPause)
    }

    /// What an admin should know of the pause; nil for nothing.
    func warning(_ choice: CanaryPlan) -> String? {
        let locked = locked(choice)
        guard endpoint.behind == .locked, choice.pause != .seconds(0), !locked.isEmpty else { return nil }
        return
            "in the pause after the canary (\(choice.canaries.joined(separator: ", "))) these folders are locked, as they are below "
            + "one that goes first: \(locked.joined(separator: ", ")); with behind: usable they would be in use"
    }

    /// The folders that are locked in the pause: those that are behind, and all below them.
    private func locked(_ choice: CanaryPlan) -> [String] {
        let first = raised.intersection(choice.folders)
        var locked: [String] = []
        for folder in endpoint.activeFolders {
            let isRaised = raised.contains(folder.name) && !first.contains(folder.name)
            let isBehind = isRaised && endpoint.ancestors(of: folder.name).contains(where: first.contains)
            if isBehind || folder.parent.map(locked.contains) ?? false { locked.append(folder.name) }
        }
        return locked
    }
}
