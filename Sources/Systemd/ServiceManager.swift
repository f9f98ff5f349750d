import CSystemd
import Glibc

/// PID 1 as the manager of units. Every call opens a connection of its own and blocks its thread until it is answered;
/// any thread may call.
public struct ServiceManager: Sendable {
    /// Whether it is called over its own socket, which only root may use.
    let isDirect: Bool

    /// The manager of this host (or container).
    public init() { self.init(isDirect: geteuid() == 0) }

    init(isDirect: Bool) { self.isDirect = isDirect }

    /// Whether systemd is PID 1 here (sd_booted(3)).
    public static var isRunning: Bool { sd_booted() > 0 }

    /// The names of the units, loaded or with a unit file, that match one of the globs, each once under its own name
    /// (not an alias), sorted, without templates. A pattern without `*?[` is a name: an instance counts when its
    /// template exists. A pattern that matches nothing is no error.
    public func units(matching patterns: [String]) throws(SystemdError) -> [String] {
        let operation = SystemdError.Operation("list units that match", patterns.joined(separator: " "))
        let isGlob = { (pattern: String) in pattern.contains { "*?[".contains($0) } }
        return try connected(operation) { bus throws(SystemdError) in
            var found: Set<String> = []
            var names = patterns.filter { !isGlob($0) }
            let globs = patterns.filter(isGlob)
            if !globs.isEmpty {
                found.formUnion(try Self.loadedUnits(globs, bus, operation))
                for file in try Self.files(globs, bus, operation) where !Self.isTemplate(file.name) {
                    // An alias is a second name of a unit; only that unit knows of which.
                    if file.isAlias { names.append(file.name) } else { found.insert(file.name) }
                }
            }
            for name in names {
                if let unit = try Self.existing(name, bus, operation) { found.insert(unit) }
            }
            return found.sorted()
        }
    }

    /// Every name that systemd knows: unit files, with templates and aliases, and loaded units.
    public func unitFiles() throws(SystemdError) -> Set<String> {
        let operation = SystemdError.Operation("list unit files")
        return try connected(operation) { bus throws(SystemdError) in
            try Self.files(bus, operation).union(try Self.loadedUnits([], bus, operation))
        }
    }

    /// The templates (`app@.service`) that match a glob, sorted. A matching template stands for all its instances.
    public func templates(matching glob: String) throws(SystemdError) -> [String] {
        let operation = SystemdError.Operation("list templates that match", glob)
        return try connected(operation) { bus throws(SystemdError) in
            try Self.files(bus, operation).filter { Self.isTemplate($0) && fnmatch(glob, $0, FNM_NOESCAPE) == 0 }
                .sorted()
        }
    }

    /// The status of a unit. One that does not exist is no error (`loadState` is `not-found`), a name that cannot be a
    /// unit's is.
    public func status(of name: String) throws(SystemdError) -> UnitStatus {
        let operation = SystemdError.Operation("read the status of", name)
        return try connected(operation) { bus throws(SystemdError) in
            let path = try Self.load(name, bus, operation)
            return try UnitStatus(at: path, on: bus, for: operation)
        }
    }

    /// Makes systemd read its unit files again and run its generators (`systemctl daemon-reload`); returns when it has.
    public func reload() throws(SystemdError) {
        let operation = SystemdError.Operation("reload systemd's configuration")
        try connected(operation) { bus throws(SystemdError) in _ = try bus.call("Reload", for: operation) }
    }

    /// `initializing`, `starting`, `running`, `degraded`, `maintenance` or `stopping` (`systemctl is-system-running`).
    public func systemState() throws(SystemdError) -> String {
        let operation = SystemdError.Operation("read the system's state")
        return try connected(operation) { bus throws(SystemdError) in
            try bus.property("SystemState", of: Bus.managerInterface, at: Bus.manager, for: operation)
                .variant("s") { reply throws(SystemdError) in try reply.requiredText() }
        }
    }

    /// Makes systemd forget that a unit failed, and how often it was started. One that is not loaded is no error.
    public func resetFailed(_ name: String) throws(SystemdError) {
        let operation = SystemdError.Operation("reset the failure of", name)
        try connected(operation) { bus throws(SystemdError) in
            do throws(SystemdError) {
                _ = try bus.call("ResetFailedUnit", for: operation) { message throws(SystemdError) in
                    try message.append(unit: name)
                }
            } catch  where error.isNoSuchUnit {}
        }
    }

    /// Sends a signal to all processes of a unit. One without processes is no error, one that is not loaded is.
    ///
    /// - Parameter onlyMain: signals the main process only.
    public func kill(_ name: String, signal: Int32, onlyMain: Bool = false) throws(SystemdError) {
        let operation = SystemdError.Operation("send signal \(signal) to", name)
        try connected(operation) { bus throws(SystemdError) in
            _ = try bus.call("KillUnit", for: operation) { message throws(SystemdError) in
                try message.append(unit: name)
                try message.append(onlyMain ? "main" : "all")
                try message.append(.integer(signal))
            }
        }
    }

    // MARK: -

    /// Opens a connection for `body`. If it breaks, PID 1 is most likely re-executing itself, as package updates of
    /// systemd and libc make it do; then `body`, which must be safe to repeat, is run again on a new connection.
    func connected<Value>(
        _ operation: SystemdError.Operation, _ body: (borrowing Bus) throws(SystemdError) -> Value
    ) throws(SystemdError) -> Value {
        var failures = 0
        while true {
            let begun = Bus.now
            do throws(SystemdError) {
                let bus = try Bus(isDirect: isDirect, for: operation)
                return try body(bus)
            } catch  where error.isDisconnected || (failures > 0 && error.isLocal) {
                // Nothing signals when PID 1 listens again: retried for ten seconds, counted again for each connection
                // that held.
                failures = Bus.now - begun > 1_000_000 ? 1 : failures + 1
                guard failures <= 200 else { throw error }
                usleep(50_000)
            }
        }
    }

    /// The object path of a unit, which systemd loads if need be.
    static func load(
        _ name: String, _ bus: borrowing Bus, _ operation: SystemdError.Operation
    ) throws(SystemdError) -> String {
        try bus.call("LoadUnit", for: operation) { message throws(SystemdError) in try message.append(unit: name) }
            .requiredText("o")
    }

    /// The unit's own name; nil when there is no such unit, or no unit can be called so.
    private static func existing(
        _ name: String, _ bus: borrowing Bus, _ operation: SystemdError.Operation
    ) throws(SystemdError) -> String? {
        let path: String
        do throws(SystemdError) {
            path = try load(name, bus, operation)
        } catch  where error.name == BusMessage.invalidArguments {
            return nil
        }
        let state = try text("LoadState", ofUnitAt: path, bus, operation)
        return state == "not-found" ? nil : try text("Id", ofUnitAt: path, bus, operation)
    }

    static func text(
        _ property: String, ofUnitAt path: String, _ bus: borrowing Bus, _ operation: SystemdError.Operation
    ) throws(SystemdError) -> String {
        try bus.property(property, of: Bus.unitInterface, at: path, for: operation)
            .variant("s") { reply throws(SystemdError) in try reply.requiredText() }
    }

    /// Own names of loaded units. systemd also keeps units that others only mention; they do not count.
    private static func loadedUnits(
        _ patterns: [String], _ bus: borrowing Bus, _ operation: SystemdError.Operation
    ) throws(SystemdError) -> [String] {
        let reply = try bus.call("ListUnitsByPatterns", for: operation) { message throws(SystemdError) in
            try message.append([String]())
            try message.append(patterns)
        }
        var names: [String] = []
        try reply.each("r", "ssssssouso") { () throws(SystemdError) in
            let name = try reply.requiredText()
            try reply.skip("s")
            let loadState = try reply.requiredText()
            try reply.skip("sssouso")
            if loadState != "not-found" { names.append(name) }
        }
        return names
    }

    /// Names of all unit files. Not by ListUnitFiles, which also determines which of them are enabled, and blocks PID 1
    /// for a second.
    private static func files(
        _ bus: borrowing Bus, _ operation: SystemdError.Operation
    ) throws(SystemdError) -> Set<String> {
        let directories = try bus.property("UnitPath", of: Bus.managerInterface, at: Bus.manager, for: operation)
            .variant("as") { reply throws(SystemdError) in try reply.texts() }
        return Set(directories.flatMap(unitFiles(in:)))
    }

    /// Names of the unit files in a directory, which need not be there.
    private static func unitFiles(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let dot = name.lastIndex(of: "."), kinds.contains(String(name[dot...])) { names.append(name) }
        }
        return names
    }

    private static let kinds: Set<String> = [
        ".service", ".socket", ".timer", ".path", ".target", ".mount", ".automount", ".swap", ".slice", ".scope",
        ".device",
    ]

    /// Unit files that match one of the globs.
    private static func files(
        _ patterns: [String], _ bus: borrowing Bus, _ operation: SystemdError.Operation
    ) throws(SystemdError) -> [(name: String, isAlias: Bool)] {
        let reply = try bus.call("ListUnitFilesByPatterns", for: operation) { message throws(SystemdError) in
            try message.append([String]())
            try message.append(patterns)
        }
        var files: [(String, Bool)] = []
        try reply.each("r", "ss") { () throws(SystemdError) in
            let path = try reply.requiredText()
            let state = try reply.requiredText()
            files.append(
                (
                    String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]),
                    state == "alias"
                ))
        }
        return files
    }

    private static func isTemplate(_ name: String) -> Bool { name.contains("@.") }
}
