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
            not end, and statements that it refuses. Without, only what no database takes is said. Scripts for sh, bash and \
            PHP are read by these (sh -n, bash -n, php -l), and not run.
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
        let (report, manifest) = try report()
        if json {
            try Output.json(report)
        } else {
            for finding in report.findings {
                let place = finding.place.isEmpty ? "" : "\(finding.place): "
                let colour: Stream.Colour = finding.level == .error ? .red : .none
                Output.paragraph("\(finding.level.rawValue) \(finding.code): \(place)\(finding.message)", colour)
            }
            if let manifest {
                if !report.findings.isEmpty { Output.line("") }
                Output.lines(UpdateFace(manifest: manifest).lines(within: Screen.size?.columns))
            }
            if report.findings.isEmpty { Notes.line("\(file) is fine") }
        }
        if !report.ok { throw ExitStatus.refused.exit }
    }

    /// As the daemon would, where this host's configuration can be read.
    private func checkSignature(of archive: borrowing File, _ worker: borrowing Worker) throws {
        guard let configuration = try? directories.configuration() else { return }
        let signer = try SignatureLook(configuration, in: directories).signer(
            of: archive, sent.signature(of: file), called: sent.name(of: file), worker)
        if let signer { Notes.line("signed by \(signer)") }
    }

    /// - Returns: also the manifest, of an archive that is not refused.
    private func report() throws -> (LintReport, Manifest?) {
        let archive: File
        do {
            archive = try sent.open(file)
        } catch let failure as Failure where failure.status == .refused {
            return (
                LintReport(findings: [
                    Finding(level: .error, code: RefusalCode.notAFile.rawValue, place: "", message: failure.message)
                ]), nil
            )
        }
        let worker = try Worker()
        do {
            try checkSignature(of: archive, worker)
        } catch let refusal as Refusal {
            return (LintReport(findings: [Finding(refusal)]), nil)
        }
        let verdict = try worker.unpack(
            archive, limits: directories.limits,
            lint: ["--lint"] + (dialect.map { ["--dialect", $0.rawValue] } ?? []))
        if let refusal = verdict.refusal { return (LintReport(findings: [Finding(refusal)]), nil) }
        guard let update = verdict.update else {
            throw Failure("the check of \"\(file)\" came to no verdict\(verdict.problem.map { ": \($0)" } ?? "")")
        }
        let endpoints = (try? directories.configuration())?.endpoints ?? []
        let accepting = endpoints.filter {
            Acceptance.accepts(update.manifest, endpoint: $0, endpointCount: endpoints.count)
        }
        let (syntax, notes) = try ScriptSyntax(worker).findings(of: update, archive, limits: directories.limits)
        for note in notes { Notes.line(note) }
        let report = LintReport(
            findings: update.findings + syntax + UpdateWarnings.unknownTypes(in: update.manifest, endpoints: accepting),
            update: LintReport.Update(update.manifest, endpoints: accepting.map(\.name)))
        return (report, update.manifest)
    }
}

/// The databases that patchd speaks.
enum Dialect: String, CaseIterable, ExpressibleByArgument { case sqlite, postgresql, mariadb, firebird }

/// `lint --json`.
struct LintReport: Encodable {
    /// What the archive says of itself, and who takes it.
    struct Update: Encodable {
        struct Patch: Encodable {
            var name: String
            var type: String
            var mandatory: Bool
            var isOnByDefault: Bool
            var description: String
            /// Nil for none.
            var delete: [String]?

            private enum CodingKeys: String, CodingKey {
                case name, type, mandatory, description, delete
                case isOnByDefault = "default"
            }
        }

        var name: String
        var version: Version
        var dependency: Version
        var description: String
        var patches: [Patch]
        /// Of those that this host's configuration names; none where it cannot be read.
        var endpoints: [String]

        init(_ manifest: Manifest, endpoints: [String]) {
            (name, version, dependency) = (manifest.name, manifest.version, manifest.dependency)
            description = manifest.description
            patches = manifest.patches.map {
                Patch(
                    name: $0.name, type: $0.type, mandatory: $0.mandatory, isOnByDefault: $0.isOnByDefault,
                    description: $0.description, delete: $0.delete)
            }
            self.endpoints = endpoints
        }
    }

    var schema = 1
    var ok: Bool
    var findings: [Finding]
    /// Nil for an archive that is refused.
    var update: Update?

    init(findings: [Finding], update: Update? = nil) {
        self.findings = findings
        self.update = update
        ok = !findings.contains { $0.level == .error }
    }
}
