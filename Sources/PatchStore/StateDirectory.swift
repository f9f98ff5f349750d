import Glibc
import PatchFiles
import PatchJSON
import PatchModel

/// The state cannot be read or written. Unreadable state is never treated as empty state.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    /// What was being done, to what, the cause and the way out.
    public var description: String
    /// Whether the cause is that this user may not read it.
    public var isPermission: Bool

    /// An error in words.
    public init(_ description: String, isPermission: Bool = false) {
        self.description = description
        self.isPermission = isPermission
    }

    init(_ error: FileError) {
        self.init(error.description, isPermission: error.number == EACCES || error.number == EPERM)
    }
}

/// `STATE/`: what patchd remembers. The daemon writes it, patchctl reads it.
///
///     lock                        flock of the one daemon
///     intake/<k>/                 archives that are being taken (0700)
///     archives/<sha256>/          archive.zip, archive.zip.sig, contents, tree/ (0750)
///     jobs/index.json             the next number, and the jobs that a start has to know
///     jobs/<n>/                   job.json, plan.json, plan/<generation>/<folder>, orders/<folder>, ledger/<folder>,
///                                 traces/<folder>.{jsonl,log} (0750)
///     endpoints/<e>/<f>.json      state, and <f>.history.jsonl (0755, 0644)
public struct StateDirectory: Sendable {
    /// Absolute.
    public let path: String

    /// The state below a path; nothing is opened yet.
    public init(path: String) { self.path = path }

    /// Creates what is missing.
    public func create() throws(StoreError) {
        try files { () throws(FileError) in
            let top = try Directory.open(path)
            for (name, mode) in [("intake", 0o700), ("archives", 0o750), ("jobs", 0o750), ("endpoints", 0o755)] {
                try top.makeDirectory(name, mode: UInt16(mode))
            }
            try top.sync()
        }
        for name in ["archives", "jobs"] { try share(name, mode: 0o750) }
    }

    /// Removes temporary files that a kill left. For the daemon alone, before it begins.
    public func removeLeftovers() throws(StoreError) {
        try files { () throws(FileError) in
            let top = try Directory.open(path)
            try top.removeLeftovers()
            // Archives that were being removed.
            let archives = try top.directory("archives")
            for name in try archives.names() where name.hasPrefix(".") { try archives.removeTree(name) }
            for name in try top.directory("endpoints").names()
            where try top.status("endpoints/\(name)")?.kind == .directory {
                try top.directory("endpoints/\(name)").removeLeftovers()
            }
            try top.directory("jobs").removeLeftovers()
            if try top.status("configuration")?.kind == .directory {
                try top.directory("configuration").removeLeftovers()
            }
        }
        // Of those that are over nothing is written any more.
        let live = try jobIndex().live
        try files { () throws(FileError) in
            let jobs = try Directory.open(path + "/jobs")
            for number in live where try jobs.status("\(number)")?.kind == .directory {
                for place in ["\(number)"] + ["traces", "ledger", "orders", "plan"].map({ "\(number)/\($0)" })
                where try jobs.status(place)?.kind == .directory {
                    try jobs.directory(place).removeLeftovers()
                }
            }
        }
        for number in live where try exists("jobs/\(number)/plan") { try removeOldPlans(job: number) }
    }

    static func group(_ name: String) -> UInt32? { UserIdentity.group(named: name) }

    /// The folders of an endpoint whose databases may show a lock.
    public func shown(_ endpoint: String) throws(StoreError) -> Set<String> {
        Set(
            try files { () throws(FileError) in
                let own = try Directory.open(path)
                return try own.status("shown") == nil ? [] : own.directory("shown").names()
            }.compactMap { name in
                let parts = name.split(separator: ".")
                return parts.count == 2 && parts[0] == endpoint ? String(parts[1]) : nil
            })
    }

    /// Remembers, durably, that a folder's database may show a lock, or that it shows none.
    public func setShown(_ isShown: Bool, _ folder: String, of endpoint: String) throws(StoreError) {
        try files { () throws(FileError) in
            let shown = try Directory.open(path).ensureDirectory("shown")
            let name = "\(endpoint).\(folder)"
            if try (shown.status(name) != nil) == isShown { return }
            if isShown { _ = try shown.createFile(name) } else { try shown.remove(name) }
            try shown.sync()
        }
    }

    /// A file for an order and its answer that need not outlive them; opened anew, it is the same.
    public func scratch(_ name: String) throws(StoreError) -> File {
        try files { () throws(FileError) in try Directory.open(path).appendingFile(".\(name).tmp") }
    }

    /// Removes a scratch file and its trace; none being there is no error.
    public func removeScratch(_ name: String) {
        guard let own = try? Directory.open(path) else { return }
        for file in [name, name + "-trace", name + "-order"] { try? own.remove(".\(file).tmp") }
    }

    /// An empty directory, for a worker that reads no archive.
    public func emptyDirectory() throws(StoreError) -> Directory {
        try files { () throws(FileError) in try Directory.open(path).ensureDirectory("empty", mode: 0o755) }
    }

    /// Opens a directory below the state; nil when it is not there.
    public func directory(_ relative: String) throws(StoreError) -> Directory {
        try files { () throws(FileError) in try Directory.open(path + "/" + relative) }
    }

    /// Whether a directory is there.
    public func exists(_ relative: String) throws(StoreError) -> Bool {
        try files { () throws(FileError) in try Directory.open(path).status(relative) != nil }
    }

    func read<Value: Decodable>(_ type: Value.Type, _ relative: String) throws(StoreError) -> Value? {
        // Whatever could be written is read again: nobody but the daemon writes here.
        let bytes = try files { () throws(FileError) in try Directory.open(path).readFile(relative, limit: .max) }
        guard let bytes else { return nil }
        do { return try JSONText.read(type, bytes) } catch { throw damage(relative, error) }
    }

    func damage(_ relative: String, _ error: any Error) -> StoreError {
        StoreError(
            """
            cannot read "\(path)/\(relative)": it is damaged (\(error)). Nothing is guessed in its place; restore \
            it from a backup, or move it away knowing that patchd then forgets what it said
            """)
    }

    /// Root's and group patchd's; nil where this process is not root, or there is no such group.
    static var sharedOwner: (uid: UInt32, gid: UInt32)? {
        guard geteuid() == 0, let group = Self.group("patchd") else { return nil }
        return (0, group)
    }

    /// - Parameter isShared: whether group patchd reads it, from the instant in which it has its name.
    func write(
        _ value: some Encodable, _ relative: String, mode: UInt16, isShared: Bool = false
    ) throws(StoreError) {
        let bytes: [UInt8]
        do {
            bytes = try JSONText.page(value)
        } catch {
            throw StoreError("cannot write \"\(path)/\(relative)\": \(error)")
        }
        try replace(relative, with: bytes, mode: mode, isShared: isShared)
    }

    func replace(_ relative: String, with bytes: [UInt8], mode: UInt16, isShared: Bool) throws(StoreError) {
        let (parent, name) = Directory.split(relative)
        try files { () throws(FileError) in
            try Directory.open(path + "/" + (parent ?? "")).replaceFile(
                name, with: bytes, mode: mode, owner: isShared ? Self.sharedOwner : nil)
        }
    }

    func files<Value: ~Copyable>(_ body: () throws(FileError) -> Value) throws(StoreError) -> Value {
        do throws(FileError) {
            return try body()
        } catch {
            throw StoreError(error)
        }
    }
}
