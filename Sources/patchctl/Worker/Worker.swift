import Glibc
import PatchConfig
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

    /// What a worker says comes from a stranger's archive, so it is bounded; in bytes.
    private static let longestAnswer: Int64 = 1 << 30

    /// Checks an archive; with a name, unpacks it into a tree of that name too, for ``look(_:_:tree:as:)``.
    ///
    /// An archive may be anybody's: as root this runs as the user that reads archives for the daemon, never as root.
    ///
    /// - Parameter lint: what more is asked, as arguments of `patchd-worker unpack`.
    func unpack(
        _ archive: borrowing File, limits: Limits, into name: String? = nil, lint: [String] = []
    ) throws -> UnpackVerdict {
        let text = String(decoding: try JSONText.line(limits), as: UTF8.self)
        let reader = geteuid() == 0 ? UnpackUser.identity : nil
        let seconds = limits.patience(archive: try archive.status().size)
        var arguments = ["unpack", "--limits", text] + lint
        let place: Directory
        if let name {
            if let parent = Directory.split(name).parent {
                _ = try scratch.directory.ensureDirectory(parent, mode: 0o755)
            }
            _ = try scratch.directory.makeDirectory(name, mode: 0o755)
            place = try scratch.directory.directory(name)
            if let reader { try UnpackUser.give(place, to: reader) }
            arguments += ["--into", "."]
        } else {
            place = try Directory.open("/")
        }
        let answer = try scratch.directory.createFile("verdict.json")
        defer { try? scratch.directory.remove("verdict.json") }
        try run(
            arguments, in: place, input: archive.descriptor, output: answer.descriptor, as: reader, seconds: seconds)
        let verdict: UnpackVerdict
        do {
            let size = try answer.status().size
            guard size <= Self.longestAnswer else { throw FileError("read", "the verdict", number: EFBIG) }
            verdict = try JSONText.read(UnpackVerdict.self, try answer.read(limit: Int(size)))
        } catch {
            throw Failure("\(program) unpack answered what is no verdict: \(error)")
        }
        if let problem = verdict.problem { throw Failure("cannot read the archive: \(problem)") }
        return verdict
    }

    /// A tree that was unpacked.
    func tree(_ name: String) throws -> Directory { try scratch.directory.directory(name) }

    /// Asks who signed an archive, as ``unpack(_:limits:into:lint:)`` without any rights.
    func signer(of archive: borrowing File, _ signature: [UInt8], _ keys: SignerKeys) throws -> SignatureVerdict {
        try scratch.directory.removeTree("signature")
        let place = try scratch.directory.ensureDirectory("signature", mode: 0o755)
        for (name, bytes) in keys.files(at: .now) + [(SignatureFile.ofArchive, signature)] {
            try place.replaceFile(name, with: bytes, mode: 0o644, isDurable: false)
        }
        let answer = try scratch.directory.createFile("signer.json")
        defer { try? scratch.directory.remove("signer.json") }
        try run(
            ["signature"], in: place, input: archive.descriptor, output: answer.descriptor,
            as: geteuid() == 0 ? UnpackUser.identity : nil)
        return try JSONText.read(SignatureVerdict.self, try answer.read(limit: 1 << 20))
    }

    /// Packs a directory into an empty file, as a change says and below another path where these are given.
    ///
    /// As root this runs as the directory's owner or, where that is root, as the user that reads archives.
    ///
    /// - Returns: why it cannot be packed; nil when it is.
    func pack(
        _ directory: borrowing Directory, to archive: borrowing File, limits: Limits, change: PackChange = PackChange(),
        below path: String? = nil
    ) throws -> Refusal? {
        var arguments = ["pack", "--limits", String(decoding: try JSONText.line(limits), as: UTF8.self)]
        if let path { arguments += ["--below", path] }
        let place = try scratch.directory.ensureDirectory("manifest", mode: 0o755)
        if let manifest = change.manifest {
            try place.replaceFile("update.json", with: manifest, mode: 0o644)
            arguments += ["--manifest", "update.json"]
        }
        if !change.leavingOut.isEmpty {
            let lines = change.leavingOut.sorted().flatMap { $0.bytes + [UInt8(ascii: "\n")] }
            try place.replaceFile("leaving-out", with: lines, mode: 0o644)
            arguments += ["--leaving-out", "leaving-out"]
        }
        for (name, content) in change.adding.sorted(by: { $0.key < $1.key }) {
            try place.replaceFile(name, with: content, mode: 0o644)
            arguments += ["--adding", name]
        }
        let answer = try scratch.directory.createFile("answer.json")
        defer { try? scratch.directory.remove("answer.json") }
        try run(
            arguments, in: place, input: directory.descriptor, output: archive.descriptor, error: answer.descriptor,
            as: try packer(of: directory))
        let bytes = try answer.read(limit: 1 << 20)
        if bytes.isEmpty { return nil }
        let verdict = try JSONText.read(UnpackVerdict.self, bytes)
        if let problem = verdict.problem {
            let hint =
                geteuid() == 0
                ? "; archives are not made as root: give the directory to a user, or let everybody read it" : ""
            throw Failure("cannot pack: \(problem)\(hint)")
        }
        return verdict.refusal
    }

    private func packer(of directory: borrowing Directory) throws -> UserIdentity? {
        guard geteuid() == 0 else { return nil }
        let owner = try directory.status().uid
        return owner == 0 ? UnpackUser.identity : UserIdentity(uid: owner) ?? UnpackUser.identity
    }

    /// Looks at a folder as its owner; nothing there is changed.
    ///
    /// - Parameters:
    ///   - what: `facts`, `survey`, `examine`, `rehearse` or `verify`.
    ///   - name: the checked tree's, as given to ``unpack(_:limits:into:)``; nil where none is needed.
    ///   - environment: `NAME=value`, besides what every worker gets.
    ///   - seconds: after them it is ended, which is an error; nil: it takes as long as it takes.
    func look(
        _ what: String, _ order: WorkOrder, tree name: String? = nil, as user: UserIdentity?,
        environment: [String] = [], seconds: Double? = nil
    ) throws -> LedgerSummary {
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
            [what], in: try Directory.open("/"), input: input.descriptor, output: ledgerFile.descriptor,
            error: trace.descriptor, as: user, environment: environment, seconds: seconds)
        return try Ledger.summary(of: ledgerFile)
    }

    /// - Parameter error: nil: what the worker says there is kept for the message of a failure. It reads what strangers
    ///   wrote, so its words never reach a terminal by themselves.
    private func run(
        _ arguments: [String], in directory: borrowing Directory, input: Int32, output: Int32, error: Int32? = nil,
        as user: UserIdentity?, environment: [String] = [], seconds: Double? = nil
    ) throws {
        let words = try scratch.directory.appendingFile("words")
        defer { try? scratch.directory.remove("words") }
        let child = try ChildProcess.start(
            program, [program] + arguments,
            environment: ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"] + environment, in: directory,
            input: input, output: output, error: error ?? words.descriptor, as: user)
        let exit = seconds.map { child.wait(seconds: $0) } ?? child.wait()
        guard exit == .code(0) else {
            let said = String(decoding: try words.read(limit: 4096), as: UTF8.self).split(separator: "\n").last ?? ""
            throw Failure(
                "\(program) \(arguments[0]) ended with \(exit) instead of an answer\(said.isEmpty ? "" : ": \(said)")")
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
