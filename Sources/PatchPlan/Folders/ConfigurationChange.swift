public import PatchModel

/// What a configuration that was read changes. An endpoint in whose folders a job is at work, or has stopped, keeps its own
/// entry until that is settled: a lock, a unit or an archive must not be lost because a file was moved for a moment (contract §5).
public struct ConfigurationChange: Hashable, Sendable {
    /// An endpoint that keeps its old entry, or is not taken up yet.
    public struct Deferral: Hashable, Sendable {
        /// The endpoint's name.
        public var endpoint: String
        /// For people: why, and what ends it.
        public var reason: String
    }

    /// What is in effect now, in the order of the configuration; endpoints that only the old one has come last.
    public private(set) var endpoints: [Endpoint] = []
    /// What of the new configuration has to wait.
    public private(set) var deferrals: [Deferral] = []

    /// - Parameters:
    ///   - current: the endpoints in effect.
    ///   - read: the new configuration's.
    ///   - engaged: by endpoint, the folders that are locked or half done.
    public init(from current: [Endpoint], to read: [Endpoint], engaged: [String: Set<String>]) {
        var kept: [Endpoint] = []
        for old in current {
            let busy = engaged[old.name] ?? []
            guard !busy.isEmpty else { continue }
            let new = read.first { $0.name == old.name }
            guard let reason = Self.reason(old, new, busy) else { continue }
            kept.append(old)
            deferrals.append(
                Deferral(
                    endpoint: old.name,
                    reason:
                        "\(reason); the endpoint keeps its earlier configuration until the job has ended, or until: "
                        + "patchctl forget \(old.name)"))
        }
        for new in read where !kept.contains(where: { $0.name == new.name }) {
            if let (other, path) = Self.overlap(of: new, with: kept) {
                deferrals.append(
                    Deferral(
                        endpoint: new.name,
                        reason:
                            "\(path) still belongs to endpoint \(other), in which a job is not over; it is taken up after that"
                    ))
            } else {
                endpoints.append(new)
            }
        }
        for old in kept {
            let place = read.firstIndex { $0.name == old.name }
            let before = place.map { place in read[..<place].map(\.name) } ?? read.map(\.name)
            let at = endpoints.lastIndex { before.contains($0.name) }.map { $0 + 1 } ?? 0
            endpoints.insert(old, at: place == nil ? endpoints.endIndex : at)
        }
    }

    /// Why the old entry has to stay; nil where the new one can take its place.
    private static func reason(_ old: Endpoint, _ new: Endpoint?, _ engaged: Set<String>) -> String? {
        let names = engaged.sorted().joined(separator: ", ")
        guard let new else { return "its file is gone, and these folders are locked or half done: \(names)" }
        for name in engaged.sorted() {
            guard let before = old.folders.first(where: { $0.name == name }) else { continue }
            guard let after = new.folders.first(where: { $0.name == name }) else {
                return "folder \(name), which is locked or half done, is not in its file any more"
            }
            guard before.path == after.path else {
                return "folder \(name), which is locked or half done, has another path in its file (\(after.path))"
            }
            guard before.parent == after.parent, before.database == after.database, before.owner == after.owner else {
                return "folder \(name), which is locked or half done, has another parent, database or owner in its file"
            }
            guard
                new.activeFolders.contains(where: { $0.name == name })
                    || !old.activeFolders.contains(where: { $0.name == name })
            else { return "folder \(name), which is locked or half done, is inactive in its file" }
        }
        return nil
    }

    /// An endpoint that was kept and has a folder where the new one has one.
    private static func overlap(of new: Endpoint, with kept: [Endpoint]) -> (endpoint: String, path: String)? {
        for old in kept {
            for folder in old.folders {
                let path = ExactText(folder.path)
                let shared = new.folders.map { ExactText($0.path) }.first { other in
                    other == path || other.isBelow(path) || path.isBelow(other)
                }
                if shared != nil { return (old.name, folder.path) }
            }
        }
        return nil
    }
}
