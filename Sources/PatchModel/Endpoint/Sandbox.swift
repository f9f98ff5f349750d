/// `sandbox` of an endpoint: what its scripts, handlers and hooks may reach beyond their folder, and how much they may use.
public struct Sandbox: Hashable, Codable, Sendable {
    /// Files and directories that can be read although they lie where workers see nothing: in home directories, in `/tmp`.
    public var read: [String] = []
    /// Files and directories that can be written.
    public var write: [String] = []
    /// Whether there is a network; nil: see ``Endpoint/hasNetwork(_:)``.
    public var network: Bool?
    /// Bytes of memory, with all that a worker has started; nil: three quarters of the host's.
    public var memory: UInt64?
    /// Processes and threads; nil: ``usualTasks``.
    public var tasks: Int?

    /// Enough for a runtime with many threads, not for a script that forks without end.
    public static let usualTasks = 2048

    /// Nothing but what every worker has.
    public init() {}

    /// In words, for plan and `config check`: `write /var/lib/acme; network; memory 2GiB`.
    public var text: String {
        var parts: [String] = []
        if !write.isEmpty { parts.append("write \(write.joined(separator: ", "))") }
        if !read.isEmpty { parts.append("read \(read.joined(separator: ", "))") }
        if let network { parts.append(network ? "network" : "no network") }
        if let memory { parts.append("memory \(Self.size(memory))") }
        if let tasks { parts.append("tasks \(tasks)") }
        return parts.joined(separator: "; ")
    }

    private static func size(_ bytes: UInt64) -> String {
        for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] {
            let whole = bytes >> shift
            if whole > 0, whole << shift == bytes { return "\(whole)\(unit)" }
        }
        return "\(bytes)"
    }
}

extension Endpoint {
    /// The admin's own commands that workers run.
    public var workerCommands: [String] {
        let copies = ["auto", "none"].contains(backup) ? [] : [backup, restore]
        return ([hooks.before, hooks.validate, hooks.after, sql] + copies + handlers.values.sorted())
            .filter { !$0.isEmpty }
    }

    /// Whether a folder's workers have a network: as `sandbox` says, else where the folder's database is on a server or the
    /// admin has commands of his own there, which patchd cannot read.
    public func hasNetwork(_ folder: Folder) -> Bool {
        if let network = sandbox.network { return network }
        if !workerCommands.isEmpty { return true }
        return switch folder.database?.engine {
        case .postgresql, .mariadb, .firebird, .foreign: true
        case .sqlite, .embeddedFirebird, nil: false
        }
    }
}
