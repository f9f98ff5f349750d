public import PatchModel

/// Which units an endpoint's `tasks` mean, and in which order they are stopped (contract §5, §7).
public struct UnitSelection: Sendable {
    /// A glob or name of the configuration, with `%f` filled in, and the folder for which the unit is stopped.
    public struct Pattern: Hashable, Sendable {
        /// What units are called.
        public var glob: String
        /// The folder of `%f`, the root folder for an endpoint-wide pattern.
        public var folder: String

        /// Whether it is one unit's name, which has to exist; a glob may match nothing.
        public var isName: Bool { !glob.contains { "*?[".contains($0) } }
    }

    /// A unit that goes down.
    public struct Selected: Hashable, Sendable {
        /// The unit.
        public var unit: Unit
        /// The folders for whose sake it goes down.
        public var folders: Set<String>
        /// Whether it serves one connection of a socket, so that nothing can start it again.
        public var isConnection: Bool

        /// As it is recorded.
        public var hold: UnitHold {
            UnitHold(
                unit: unit.name, isRunning: unit.isRunning, folders: folders.sorted(), comesBack: !isConnection,
                triggers: unit.triggers, stopsAlong: unit.stoppedAlong)
        }
    }

    /// What triggers others goes down before them, so that it does not start what was just stopped, and comes up before
    /// them: systemd starts no socket whose service runs.
    private static let triggers: Set<String> = ["timer", "socket", "path", "automount"]
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

    /// The names of the units that serve connections of an accepting socket (`talk@0-70-0.service`).
    public static func connections(of socket: String) -> String {
        "\(socket.dropLast(".socket".count))@[0-9]*-*.service"
    }

    private static func isConnection(_ name: String, of socket: String) -> Bool {
        let prefix = "\(socket.dropLast(".socket".count))@"
        let instance = name.dropFirst(prefix.count)
        return name.hasPrefix(prefix) && instance.first?.isNumber == true && instance.contains("-")
    }

    /// Whether a unit can be kept down by a condition of its own.
    public static func isGuarded(_ name: String) -> Bool { guarded.contains(Unit.kind(of: name)) }

    /// The units as they go down.
    public static func waves(_ holds: [UnitHold]) -> [[String]] { waves(holds.filter(\.isRunning).map(\.unit)) }

    /// Units in the order in which they go down and come up, in two waves: what triggers, then the rest.
    public static func waves(_ names: [String]) -> [[String]] {
        [
            names.filter { triggers.contains(Unit.kind(of: $0)) },
            names.filter { !triggers.contains(Unit.kind(of: $0)) },
        ].filter { !$0.isEmpty }
    }

    /// Named units, those that go down with them, those that would start them, and those that they start, each once.
    ///
    /// - Parameters:
    ///   - named: by unit name, the folders it was named for.
    ///   - unit: looks a unit up.
    public static func closure(
        _ named: [String: Set<String>], unit: (String) throws -> Unit
    ) throws -> [Selected] {
        var folders = named
        var found: [String: Unit] = [:]
        var open = named.keys.sorted()
        while let name = open.popLast() {
            let current = try found[name] ?? unit(name)
            found[name] = current
            for other in current.stoppedAlong + current.triggeredBy + current.triggers where !isOwn(other) {
                let related = try found[other] ?? unit(other)
                // What does not run is not stopped, so it is none of the job's business, unless it is named, or would be
                // in the way of the unit that starts it.
                guard related.isRunning || named[other] != nil || current.triggers.contains(other) && related.exists
                else { continue }
                found[other] = related
                let before = folders[other] ?? []
                let after = before.union(folders[name] ?? [])
                if after != before || folders[other] == nil {
                    folders[other] = after
                    open.append(other)
                }
            }
        }
        return found.keys.sorted().compactMap { name in
            found[name].map { unit in
                Selected(
                    unit: unit, folders: folders[name] ?? [],
                    isConnection: unit.triggeredBy.contains { found[$0]?.accepts == true }
                        || found.values.contains { $0.accepts && isConnection(name, of: $0.name) })
            }
        }
    }
}
