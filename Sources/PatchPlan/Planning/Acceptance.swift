public import PatchModel

/// Which endpoints take an update (contract §4, `endpoints`, and §5, `accepts`).
public enum Acceptance {
    /// Whether an endpoint takes an update: its `accepts` matches the update's name, and the manifest's `endpoints`, if it
    /// has any, the endpoint's.
    ///
    /// - Parameter endpointCount: How many endpoints this host has; one that says nothing accepts everything only when it is
    ///   the only one.
    public static func accepts(_ manifest: Manifest, endpoint: Endpoint, endpointCount: Int) -> Bool {
        let isWanted = wants(manifest.name, endpoint: endpoint, endpointCount: endpointCount)
        let isMeant = manifest.endpoints.map { globs in globs.contains { Glob($0).matches(endpoint.name) } } ?? true
        return isWanted && isMeant
    }

    /// The same, as far as the endpoint alone decides, of an update of which no more than its name is known.
    public static func wants(_ name: String, endpoint: Endpoint, endpointCount: Int) -> Bool {
        endpoint.accepts.map { globs in globs.contains { Glob($0).matches(name) } } ?? (endpointCount == 1)
    }

    /// The endpoints that get a job: all that accept the update, or those that the options name.
    ///
    /// - Throws: ``Refusal``: `optionsInvalid` for options that ``OptionsCheck`` refuses, `notAccepted` when no endpoint
    ///   takes the update, or one that the options name does not.
    public static func endpoints(
        for manifest: Manifest, options: UpdateOptions, among all: [Endpoint]
    ) throws(Refusal) -> [Endpoint] {
        let accepting = all.filter { accepts(manifest, endpoint: $0, endpointCount: all.count) }
        // An unknown name is a better message than that no endpoint takes the update.
        try OptionsCheck.check(
            options, against: manifest, endpoints: options.endpoints == nil && !accepting.isEmpty ? accepting : all)
        guard let names = options.endpoints else {
            guard !accepting.isEmpty else {
                throw Refusal(
                    .notAccepted,
                    "no endpoint takes \(manifest.name); see \"accepts\" in endpoints.d and \"endpoints\" in the manifest"
                )
            }
            return accepting
        }
        if let name = names.first(where: { name in !accepting.contains { $0.name == name } }) {
            throw Refusal(
                .notAccepted,
                "the endpoint \(name) does not take \(manifest.name); see its \"accepts\" and \"endpoints\" in the manifest"
            )
        }
        return accepting.filter { names.contains($0.name) }
    }
}
