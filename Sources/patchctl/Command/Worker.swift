import Glibc
import PatchFiles
import PatchJSON
import PatchLedger
import PatchModel

/// `patchd-worker` as a child process, with files in a directory of its own for what it writes.
struct Worker: ~Copyable {
    private let program: String
    private let scratch: Scratch

    init() throws {
        let program = try Self.find()
        let scratch = try Scratch()
        self.program = program
        self.scratch = scratch
    }

    /// Checks an archive; with a name, unpacks it into ``tree(_:)`` of that name too.
    func unpack(_ archive: borrowing File, limits: Limits, into name: String? = nil) throws -> UnpackVerdict {
        let limits = String(decoding: try JSONText.line(limits), as: UTF8.self)
        var arguments = ["unpack", "--limits", limits]
        if let name {
            try scratch.directory.makeDirectory(name, mode: 0o755)
            arguments += ["--into", scratch.path + "/" + name]
        }
        let answer = try scratch.directory.createFile("verdict.json")
        defer { try? scratch.directory.remove("verdict.json") }
        try run(arguments, input: archive.descriptor, output: answer.descriptor, error: STDERR_FILENO, as: nil)
        let verdict: UnpackVerdict
        do {
            verdict = try JSONText.read(UnpackVerdict.self, try answer.read(limit: Int(try answer.status().size)))
        } catch {
            throw Failure("\(program) unpack answered what is no verdict: \(error)")
        }
        if let problem = verdict.problem { throw Failure("cannot read the archive: \(problem)") }
        return verdict
    }

    /// Packs a directory into an empty file.
    ///
    /// - Returns: why it cannot be packed; nil when it is.
    func pack(_ directory: borrowing Directory, to archive: borrowing File, limits: Limits) throws -> Refusal? {
        let limits = String(decoding: try JSONText.line(limits), as: UTF8.self)
        let answer = try scratch.directory.createFile("answer.json")
        defer { try? scratch.directory.remove("answer.json") }
        try run(
            ["pack", "--limits", limits], input: directory.descriptor, output: archive.descriptor,
            error: answer.descriptor, as: nil)
        let bytes = try answer.read(limit: Int(try answer.status().size))
        if bytes.isEmpty { return nil }
        let verdict = try JSONText.read(UnpackVerdict.self, bytes)
        if let problem = verdict.problem { throw Failure("cannot pack: \(problem)") }
        return verdict.refusal
    }

    /// Looks at a folder as its owner; nothing there is changed.
    ///
    /// - Parameters:
    ///   - what: `facts`, `survey` or `verify`.
    ///   - name: the checked tree's, as given to ``unpack(_:limits:into:)``; nil where none is needed.
    func look(_ what: String, _ order: WorkOrder, tree name: String? = nil, as user: UserIdentity?) throws
        -> LedgerSummary
    {
        let tree = try name.map { try scratch.directory.directory($0) } ?? scratch.directory.ensureDirectory("empty")
        let ledgerFile = try scratch.directory.appendingFile("ledger")
        let trace = try scratch.directory.appendingFile("trace")
        defer {
            try? scratch.directory.remove("ledger")
            try? scratch.directory.remove("trace")
            try? scratch.directory.remove("order")
        }
        let orderFile = try scratch.directory.createFile("order")
        try PlanLines.write(order) { line in try orderFile.write(line) }
        let input = try DescriptorParcel.pack([tree.descriptor, orderFile.descriptor])
        try run(
            [what], input: input.descriptor, output: ledgerFile.descriptor, error: trace.descriptor, as: user)
        return try Ledger.summary(of: ledgerFile)
    }

    private func run(_ arguments: [String], input: Int32, output: Int32, error: Int32, as user: UserIdentity?) throws {
        let root = try Directory.open("/")
        let child = try ChildProcess.start(
            program, [program] + arguments, environment: ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"],
            in: root, input: input, output: output, error: error, as: user)
        let exit = child.wait()
        guard exit == .code(0) else {
            throw Failure("\(program) \(arguments[0]) ended with \(exit) instead of an answer")
        }
    }

    /// Beside this program, where packages put it, or on the path.
    private static func find() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var directories = [Directory.split(own).parent].compactMap { $0 }
        directories.append("/usr/libexec/patchd")
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        directories += path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        for place in directories where access(place + "/patchd-worker", X_OK) == 0 { return place + "/patchd-worker" }
        throw Failure(
            "cannot find patchd-worker beside patchctl, in /usr/libexec/patchd or on PATH; install it beside patchctl")
    }
}

/// A temporary directory that goes when the value ends.
struct Scratch: ~Copyable {
    let path: String
    let directory: Directory

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((parent + "/patchctl-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure(FileError("create a temporary directory in", parent).description)
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let directory = try Directory.open(path)
        self.path = path
        self.directory = directory
    }

    deinit {
        let (parent, name) = Directory.split(path)
        guard let above = try? Directory.open(parent ?? "/") else { return }
        try? above.removeTree(name)
    }
}
