import ArgumentParser
import Glibc
import PatchArchive
import PatchFiles
import PatchJSON
import PatchModel
import PatchSteps

/// Checks the archive on standard input and writes the verdict to standard output. Exit code 0 means that there is a
/// verdict, whatever it says.
struct UnpackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "unpack")

    @Option(help: "An empty directory for the checked tree; without it nothing is unpacked.")
    var into: String?

    @Option(help: "What the archive may ask for, as JSON.")
    var limits: String?

    @Option(help: "The same in a file; for where a command line cannot carry it.")
    var limitsFile: String?

    @Flag(help: "Also look through the SQL; nothing is unpacked.")
    var lint = false

    @Option(help: "The database that the SQL is for.")
    var dialect: String?

    @OptionGroup var directories: Directories

    func run() throws {
        umask(0o022)
        let answer = File(adopting: 1, path: "verdict")
        // Whoever finds this and no verdict knows that the reader ran, and died of the archive.
        try answer.write([UInt8(ascii: "\n")])
        let verdict: UnpackVerdict
        do {
            verdict = try check()
        } catch {
            verdict = UnpackVerdict(problem: "\(error)")
        }
        try answer.write(JSONText.line(verdict))
        try answer.sync()
    }

    private func check() throws -> UnpackVerdict {
        let text = try limits.map { Array($0.utf8) } ?? limitsFile.map { try File.open($0).read(limit: 65536) }
        let limits = try text.map { try JSONText.read(Limits.self, $0) } ?? Limits()
        if let dialect, !ScriptLint.dialects.contains(dialect) {
            throw ValidationError("there is no dialect \(dialect)")
        }
        let archive = File(adopting: 0, path: "archive")
        let (seconds, longest) = (limits.patience(archive: try archive.status().size), max(limits.unpacked, 1 << 30))
        if !lint, let into {
            let tree = try Directory.open(into)
            try Confinement.enter(writing: tree.descriptor, file: longest, seconds: seconds)
            return try ArchiveCheck.unpack(archive: archive, into: tree, limits: limits)
        }
        try Confinement.enter(file: longest, seconds: seconds)
        let sql = SQLCheck(limit: ScriptLint.limit, findings: ScriptLint(dialect: dialect).findings)
        return try ArchiveCheck.check(archive: archive, limits: limits, sql: lint ? sql : nil)
    }
}
