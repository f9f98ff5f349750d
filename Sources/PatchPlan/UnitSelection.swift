public import PatchModel

/// Which units an endpoint's `tasks` mean, and in which order they are stopped (contract §5, §7).
public struct UnitSelection: Sendable {
    /// A glob or name of the configuration, with `%f` filled in, and the folder for which the unit is stopped.
    public struct Pattern: Hashable, Sendable {
        /// What units are called.
        public var glob: String
        /// The folder of `%f`, the root folder for an endpoint-wide pattern.
        public var folder: String
    }

    /// Units that trigger others are stopped first, so that they do not start what was just stopped.
    private static let triggers: Set<String> = ["timer", "socket", "path"]
    /// Kinds that a file can keep down. Others (targets, slices) are only groups: a condition on `multi-user.target`
    /// would keep a host from booting.
    ///
    /// Why: docs/decisions/units.md#only-services-timers-sockets-paths-mounts-and-swaps-get-the-drop-in
    private static let guarded: Set<String> = ["service", "timer", "socket", "path", "mount", "automount", "swap"]

    /// The patterns of units to stop.
    ///
    /// - Parameter folders: those that are locked; `%f` stands for each of them.
    public static func patterns(_ texts: [String], endpoint: Endpoint, folders: Set<String>) -> [Pattern] {
        let root = endpoint.folders.first { $0.parent == nil }?.name ?? ""
        return texts.flatMap { text -> [Pattern] in
            if !text.contains("%f") { return [Pattern(glob: text, folder: root)] }
            return endpoint.activeFolders.map(\.name).filter(folders.contains).map {
                Pattern(glob: text.replacing("%f", with: $0), folder: $0)
            }
        }
    }

    /// Whether a unit is patchd's own, which it never stops.
    public static func isOwn(_ name: String) -> Bool {
        ["patchd.service", "patchd-notify.service"].contains(name)
            || ["patchd-job-", "patchd-unpack@", "patchd-command-"].contains { name.hasPrefix($0) }
    }

    /// Whether a name is a template's, `app@.service`.
    public static func isTemplate(_ name: String) -> Bool { name.contains("@.") }

    /// The template of an instance; nil for other units.
    public static func template(of name: String) -> String? {
        guard let at = name.firstIndex(of: "@"), let dot = name.lastIndex(of: "."), at < dot, !isTemplate(name) else {
            return nil
        }
        return String(name[...at] + name[dot...])
    }

    /// Whether a unit can be kept down by a condition of its own.
    public static func isGuarded(_ name: String) -> Bool { guarded.contains(Unit.kind(of: name)) }

    /// The units in the order in which they are stopped, in two waves: those that trigger others, then the rest.
    public static func waves(_ holds: [UnitHold]) -> [[String]] {
        let names = holds.filter(\.isRunning).map(\.unit)
        return [
            names.filter { triggers.contains(Unit.kind(of: $0)) },
            names.filter { !triggers.contains(Unit.kind(of: $0)) },
        ].filter { !$0.isEmpty }
    }

    /// Named units, and those that are stopped with them or would start them, each once.
    ///
    /// - Parameters:
    ///   - named: by unit name, the folders it was named for.
    ///   - unit: looks a unit up.
    public static func closure(
        _ named: [String: Set<String>], unit: (String) throws -> Unit
    ) throws -> [(unit: Unit, folders: Set<String>)] {
        var folders = named
        var found: [String: Unit] = [:]
        var open = named.keys.sorted()
        while let name = open.popLast() {
            let current = try found[name] ?? unit(name)
            found[name] = current
            for other in current.stoppedAlong + current.triggeredBy where !isOwn(other) {
                let related = try found[other] ?? unit(other)
                // A unit that does not run and is not named is not stopped, so it does not concern the job.
                guard related.isRunning || named[other] != nil else { continue }
                found[other] = related
                let before = folders[other] ?? []
                let after = before.union(folders[name] ?? [])
                if after != before || folders[other] == nil {
                    folders[other] = after
                    open.append(other)
                }
            }
        }
        return found.keys.sorted().compactMap { name in found[name].map { ($0, folders[name] ?? []) } }
    }
}
