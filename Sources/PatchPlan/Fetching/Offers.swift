public import PatchModel

/// An update of an index that a host has a use for.
public struct Offer: Hashable, Sendable {
    /// Which one.
    public var update: IndexedUpdate
    /// The endpoints that it fits.
    public var endpoints: [String]
}

/// Which updates of an index a host has a use for (contract §13).
public struct OfferRule: Sendable {
    /// All of the host.
    public var endpoints: [Endpoint]
    /// By endpoint and folder, what they have now; a folder that is missing has no known version.
    public var versions: [String: [String: Version]]
    /// By endpoint, what jobs that are not over will bring.
    public var coming: [String: [Version]]
    /// SHA-256 sums of archives that were here before.
    public var known: Set<String>
    /// What is applied to nobody.
    public var unstable: UnstableUpdates

    /// Memberwise.
    public init(
        endpoints: [Endpoint], versions: [String: [String: Version]], coming: [String: [Version]] = [:],
        known: Set<String> = [], unstable: UnstableUpdates = UnstableUpdates()
    ) {
        self.endpoints = endpoints
        self.versions = versions
        self.coming = coming
        self.known = known
        self.unstable = unstable
    }

    /// The updates that fit, lowest version first. One that needs another fits with it.
    public func offers(among updates: [IndexedUpdate]) -> [Offer] {
        let new = updates.filter { !known.contains($0.sha256) && !unstable.contains($0.name, $0.version) }.sorted {
            ($0.version, $0.name) < ($1.version, $1.name)
        }
        var fitting: [Int: [String]] = [:]
        for endpoint in endpoints {
            for index in self.fitting(endpoint, among: new).sorted() {
                fitting[index, default: []].append(endpoint.name)
            }
        }
        return fitting.sorted { $0.key < $1.key }.map { Offer(update: new[$0.key], endpoints: $0.value) }
    }

    /// - Parameter updates: sorted by version, which is above each one's dependency: what an update needs stands before it.
    private func fitting(_ endpoint: Endpoint, among updates: [IndexedUpdate]) -> Set<Int> {
        var found: Set<Int> = []
        let wanted = updates.indices.filter { index in
            Acceptance.wants(updates[index].name, endpoint: endpoint, endpointCount: endpoints.count)
        }
        for version in Set(endpoint.activeFolders.compactMap { versions[endpoint.name]?[$0.name] }) {
            var reached = max(version, coming[endpoint.name]?.max() ?? version)
            for index in wanted where updates[index].version > version && updates[index].dependency <= reached {
                found.insert(index)
                reached = max(reached, updates[index].version)
            }
        }
        return found
    }
}
