import ArgumentParser
import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan

struct Lint: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check an update archive as the daemon would, without one; exits 4 when it would be refused.",
        discussion: """
            With --dialect, the SQL is held against what patchd runs in that database: quotes, comments and blocks that do \
            not end, and statements that it refuses. Without, only what no database takes is said.
            """)

    @Argument(help: "The update archive.", completion: .file(extensions: ["zip"]))
    var file: String

    @Option(help: "The database that the SQL is for: sqlite, postgresql, mariadb or firebird.")
    var dialect: Dialect?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var sent: SentFile

    @OptionGroup var directories: Directories

    func run() throws {
        let report = LintReport(findings: try findings())
        if json {
            try Output.json(report)
        } else {
            for finding in report.findings {
                let place = finding.place.isEmpty ? "" : "\(finding.place): "
                let colour: Stream.Colour = finding.level == .error ? .red : .none
                Output.line("\(finding.level.rawValue) \(finding.code): \(place)\(finding.message)", colour)
            }
            if report.findings.isEmpty { Notes.line("\(file) is fine") }
        }
        if !report.ok { throw ExitStatus.refused.exit }
    }

    private func findings() throws -> [Finding] {
        let archive: File
        do {
            archive = try sent.open(file)
        } catch let failure as Failure where failure.status == .refused {
            return [Finding(level: .error, code: RefusalCode.notAFile.rawValue, place: "", message: failure.message)]
        }
        let verdict = try Worker().unpack(
            archive, limits: directories.limits,
            lint: ["--lint"] + (dialect.map { ["--dialect", $0.rawValue] } ?? []))
        if let refusal = verdict.refusal { return [Finding(refusal)] }
        guard let update = verdict.update else { return [] }
        let endpoints = (try? directories.configuration())?.endpoints ?? []
        let accepting = endpoints.filter {
            Acceptance.accepts(update.manifest, endpoint: $0, endpointCount: endpoints.count)
        }
        return update.findings + UpdateWarnings.unknownTypes(in: update.manifest, endpoints: accepting)
    }
}

/// The databases that patchd speaks.
enum Dialect: String, CaseIterable, ExpressibleByArgument { case sqlite, postgresql, mariadb, firebird }

/// `lint --json`.
struct LintReport: Encodable {
    var schema = 1
    var ok: Bool
    var findings: [Finding]

    init(findings: [Finding]) {
        self.findings = findings
        ok = !findings.contains { $0.level == .error }
    }
}
