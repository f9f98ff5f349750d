import PatchModel

/// Reads `sandbox` of an endpoint.
struct SandboxReader {
    private static let keys = ["read", "write", "network", "memory", "tasks"]
    /// Paths of one list. Each is a mount in every worker.
    private static let most = 64
    /// The kernel's own: what is mounted there is no file that a script needs.
    private static let reserved = ["/dev", "/proc", "/sys"]
    /// With less, not even the worker runs.
    private static let leastMemory: UInt64 = 64 << 20

    let problems: Problems
    private(set) var sandbox = Sandbox()
    /// Where its paths stand.
    private(set) var paths: [Located<String>] = []

    init(_ section: Section, problems: Problems) {
        self.problems = problems
        guard let own = section.section("sandbox", keys: Self.keys) else { return }
        sandbox.read = readPaths("read", own)
        sandbox.write = readPaths("write", own)
        sandbox.network = own.value("network", ScalarReader.flag)?.value
        sandbox.memory = own.value("memory", Self.memory)?.value
        sandbox.tasks = own.value("tasks", Quantity.number(16...1_000_000))?.value
    }

    private mutating func readPaths(_ key: String, _ section: Section) -> [String] {
        var found: [String] = []
        for item in section.items(key, atMost: Self.most) ?? [] {
            guard let path = section.value(of: item, "an item of \"\(key)\"", Self.path) else { continue }
            if paths.contains(where: { $0.value == path.value }) {
                problems.report(at: path.place, "\"\(path.value)\" is given twice in \"sandbox\"")
                continue
            }
            paths.append(path)
            found.append(path.value)
        }
        return found
    }

    /// What a script may reach.
    ///
    /// - Throws: ``InvalidValue`` for what is no absolute path, or lies in the kernel's own directories.
    private static func path(_ text: String) throws(InvalidValue) -> String {
        let path = try CleanPath.absolute(text)
        if let place = reserved.first(where: { path == $0 || CleanPath.isBelow(path, $0) }) {
            throw InvalidValue("cannot be in \(place), not \"\(text)\"")
        }
        return path
    }

    /// Memory.
    ///
    /// - Throws: ``InvalidValue`` as ``Quantity/size(_:)`` does, and for less than a worker needs.
    private static func memory(_ text: String) throws(InvalidValue) -> UInt64 {
        let size = try Quantity.size(text)
        guard size >= leastMemory else { throw InvalidValue("is at least \(leastMemory >> 20)MiB, not \"\(text)\"") }
        return size
    }
}
