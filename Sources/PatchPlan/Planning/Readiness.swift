public import PatchModel

/// Whether a job may have its turn (contract §3).
public enum Readiness: Hashable, Sendable {
    /// Its preflight may begin.
    case ready
    /// It keeps its place; the text is for `waitingFor`.
    case waits(for: String)
}

/// What the queue has to know of one update for one endpoint.
public struct QueuedUpdate: Hashable, Sendable {
    /// How this job is called where others wait for it: `job 12 (X3V8_P2 8.0.2)`.
    public var label: String
    /// The version of folders afterwards.
    public var version: Version
    /// The version that they must have before.
    public var dependency: Version
    /// The folders that it would update (not excluded, inactive or up to date), with their versions now.
    public var updates: [String: Version?]
    /// Those of them that go first; nil where all go at once.
    public var first: Set<String>?

    /// Memberwise.
    public init(label: String, version: Version, dependency: Version, updates: [String: Version?]) {
        self.label = label
        self.version = version
        self.dependency = dependency
        self.updates = updates
    }

    /// An update from the plan for it.
    public init(label: String, manifest: Manifest, plan: EndpointPlan) {
        let pending = plan.folders.filter { $0.state == .pending }
        self.init(
            label: label, version: manifest.version, dependency: manifest.dependency,
            updates: Dictionary(pending.map { ($0.folder, $0.from) }) { first, _ in first })
        first = plan.canary.map { Set($0.folders) }
    }

    /// Whether all folders that it would update have the dependency, so that it waits for no other.
    public var hasAll: Bool { updates.values.allSatisfy { has(dependency, $0) } }

    /// Whether this update may have its turn among those that wait for the same endpoint.
    ///
    /// It waits while none of the folders it would update has the dependency, or while others that wait would bring it to one
    /// that has not, so that 8.0.3 and 8.0.2 dropped in any order are both applied. Where some folders have it, others do
    /// not, and nothing brings it, it is ready: its preflight then names them. So is one whose folders have no known version
    /// at all (contract §5).
    ///
    /// - Parameter others: The other waiting updates, with this one or without; those that wait for approval hold no place and
    ///   are not among them.
    public func readiness(among others: [QueuedUpdate]) -> Readiness {
        let lacking = updates.filter { !has(dependency, $0.value) }.sorted { $0.key < $1.key }
        if lacking.isEmpty { return .ready }
        for (folder, version) in lacking {
            if let other = bringer(of: folder, at: version, among: others) { return .waits(for: other.label) }
        }
        // No update can bring a version where none is known: an admin has to name it.
        guard lacking.count == updates.count, lacking.contains(where: { $0.value != nil }) else { return .ready }
        let folders = lacking.map { "\($0.key) has \($0.value.map(\.description) ?? "no known version")" }
        return .waits(for: "version \(dependency): \(folders.joined(separator: ", "))")
    }

    /// The first of the waiting updates that, one after the other, would bring a folder to the dependency; nil where
    /// they would not. An update that itself lacks its dependency there counts only after another that brings that, so
    /// no two wait for each other.
    private func bringer(of folder: String, at version: Version?, among others: [QueuedUpdate]) -> QueuedUpdate? {
        var current = version
        var first: QueuedUpdate?
        while !has(dependency, current) {
            let next = others.filter { other in
                other.updates[folder] != nil && has(other.dependency, current) && !has(other.version, current)
            }.max { $0.version < $1.version }
            guard let next else { return nil }
            first = first ?? next
            current = next.version
        }
        return first
    }

    private func has(_ wanted: Version, _ version: Version?) -> Bool { version.map { $0 >= wanted } ?? false }
}
