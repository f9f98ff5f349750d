import Glibc
import PatchFiles
import PatchModel

/// Has the interpreters read an archive's `.sh` and `.php` scripts, without running them: `sh -n`, `bash -n`, `php -l`.
struct ScriptSyntax: ~Copyable {
    private let worker: Worker
    /// As root a stranger's scripts are not even read as root.
    private let user: UserIdentity?

    /// Scripts that are looked at, seconds for one, and bytes of what is said of it.
    private static let (most, limit, longest) = (1000, 10.0, 4096)

    init(_ worker: consuming Worker) {
        self.worker = worker
        user = geteuid() == 0 ? UnpackUser.identity : nil
    }

    /// The findings, and why some were not looked at.
    func findings(
        of update: CheckedUpdate, _ archive: borrowing File, limits: Limits
    ) throws -> (findings: [Finding], notes: [String]) {
        let scripts = Self.scripts(of: update)
        if scripts.isEmpty { return ([], []) }
        let verdict = try worker.unpack(archive, limits: limits, into: "scripts")
        guard verdict.refusal == nil else { return ([], []) }
        let tree = try worker.tree("scripts")
        var (findings, missing): ([Finding], Set<String>) = ([], [])
        for (path, kind) in scripts.prefix(Self.most) {
            guard let command = Self.command(for: kind, start: try tree.file(path).read(limit: 256)) else { continue }
            guard let program = ProgramPath.find(command[0]) else {
                missing.insert(command[0])
                continue
            }
            guard let problem = try problem(with: path, program, command, in: tree) else { continue }
            let asked = command.joined(separator: " ")
            findings.append(
                Finding(level: .error, code: "scriptSyntax", place: path, message: "\(asked): \(problem)"))
        }
        var notes = missing.sorted().map { "\($0) is not installed here, so its scripts are not read" }
        if scripts.count > Self.most { notes.append("\(scripts.count - Self.most) more scripts are not read") }
        return (findings, notes)
    }

    private static func scripts(of update: CheckedUpdate) -> [(path: String, kind: ScriptName.Kind)] {
        let places = update.manifest.patches.flatMap { patch in
            ["upgrades", "downgrades"].map { ExactText("\(patch.path)/\($0)") }
        }
        return update.entries.compactMap { entry in
            guard entry.kind == .file,
                let name = places.lazy.compactMap({ ExactText(entry.path).relative(to: $0) }).first?.description,
                let kind = ScriptName(name)?.kind, kind != .sql
            else { return nil }
            return (entry.path, kind)
        }
    }

    /// By its `#!` line, else by its name. Nil for what no interpreter here can check without running it.
    static func command(for kind: ScriptName.Kind, start: [UInt8]) -> [String]? {
        // A program that a script brings along.
        if start.starts(with: [0x7F, 0x45, 0x4C, 0x46]) { return nil }
        guard start.starts(with: Array("#!".utf8)) else { return kind == .php ? ["php", "-l"] : ["sh", "-n"] }
        let line = String(decoding: start.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map { Directory.split(String($0)).name }
        let program = words.first == "env" ? words.dropFirst().first { !$0.hasPrefix("-") } : words.first
        switch program {
        case "sh", "dash": return ["sh", "-n"]
        case "bash": return ["bash", "-n"]
        case let name? where name.hasPrefix("php"): return ["php", "-l"]
        default: return nil
        }
    }

    /// What the interpreter said; nil where it took the script.
    private func problem(
        with path: String, _ program: String, _ command: [String], in tree: borrowing Directory
    ) throws -> String? {
        let said = try File.inMemory([])
        let nothing = try File.open("/dev/null")
        let child = try ChildProcess.start(
            program, command + ["./\(path)"], environment: ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"],
            in: tree, input: nothing.descriptor, output: said.descriptor, error: said.descriptor, as: user)
        switch child.wait(seconds: Self.limit) {
        case .code(0): return nil
        case .code:
            let lines = String(decoding: try said.read(limit: Self.longest), as: UTF8.self).split(separator: "\n")
            let text =
                (lines.first { $0.lowercased().contains("error") } ?? lines.first).map(String.init) ?? "refused it"
            return text.replacing("./\(path): ", with: "").replacing(" in ./\(path)", with: "")
        case .signal: return "did not come to an end within \(Int(Self.limit)) s"
        }
    }
}
