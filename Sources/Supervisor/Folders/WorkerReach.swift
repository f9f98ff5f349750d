public import PatchModel

/// What a worker reaches besides its folder and the directory of its database: what the endpoint's `sandbox` says, and what
/// the admin's own commands and the database's client read.
public struct WorkerReach: Hashable, Sendable {
    /// Where services see nothing of other users: everything in it that a worker needs is shown to it.
    public static let homes = ["/home", "/root", "/run/user"]

    /// Can be read also where it is hidden.
    public var read: [String] = []
    /// Can be written.
    public var write: [String] = []
    /// Whether there is a network besides sockets in files.
    public var hasNetwork = true
    /// In bytes; nil for three quarters of the host's.
    public var memory: UInt64?
    /// Processes and threads.
    public var tasks = Sandbox.usualTasks

    /// A network, and nothing else.
    public init() {}

    /// What an endpoint's workers reach in a folder.
    ///
    /// - Parameter home: the owner's home directory, with `.pgpass`, `.my.cnf` and what the owner's programs keep there; nil
    ///   for none.
    public init(_ endpoint: Endpoint, folder name: String, home: String?) {
        let sandbox = endpoint.sandbox
        write = sandbox.write
        memory = sandbox.memory
        tasks = sandbox.tasks ?? Sandbox.usualTasks
        hasNetwork = endpoint.folders.first { $0.name == name }.map(endpoint.hasNetwork) ?? true
        let named = [home].compactMap { $0 } + Self.paths(in: endpoint.workerCommands)
        read = sandbox.read
        for path in named.filter(Self.isHidden) where !read.contains(path) && !write.contains(path) {
            read.append(path)
        }
    }

    /// Whether a path lies in somebody's home directory. A whole directory of homes is nobody's.
    static func isHidden(_ path: String) -> Bool {
        path == "/root" || homes.contains { path.hasPrefix($0 + "/") && path.count > $0.count + 1 }
    }

    /// The absolute paths that stand in commands, as far as they can be told from the text.
    static func paths(in commands: [String]) -> [String] {
        commands.flatMap { command in
            command.split { $0.isWhitespace || "\"'=;&|<>()`:,".contains($0) }.map(String.init)
                .filter { $0.hasPrefix("/") && !$0.split(separator: "/").contains("..") }
        }
    }
}
