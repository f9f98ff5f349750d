import ArgumentParser
import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan

struct Lint: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check an update archive as the daemon would, without one; exits 4 when it would be refused.")

    @Argument(help: "The update archive.", completion: .file(extensions: ["zip"]))
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        let report = LintReport(findings: try findings())
        if json {
            try Output.json(report)
        } else {
            for finding in report.findings {
                let place = finding.place.isEmpty ? "" : "\(finding.place): "
                Output.write(Printable.text("\(finding.level.rawValue) \(finding.code): \(place)\(finding.message)"))
            }
            if report.findings.isEmpty { Notes.write("\(file) is fine") }
        }
        if !report.ok { throw Code.refused.exit }
    }

    private func findings() throws -> [Finding] {
        do throws(Failure) {
            return try findings(in: try Archive.open(file))
        } catch {
            guard error.code == .refused else { throw error }
            return [Finding(level: .error, code: RefusalCode.notAFile.rawValue, place: "", message: error.message)]
        }
    }

    private func findings(in archive: borrowing File) throws(Failure) -> [Finding] {
        let configuration = try? directories.configuration()
        let limits = configuration?.daemon.limits ?? Limits()
        let verdict: UnpackVerdict
        do {
            verdict = try Worker().unpack(archive, limits: limits)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("\(error)")
        }
        if let refusal = verdict.refusal { return [Finding(refusal)] }
        guard let update = verdict.update else { return [] }
        let endpoints = configuration?.endpoints ?? []
        let accepting = endpoints.filter {
            Acceptance.accepts(update.manifest, endpoint: $0, endpointCount: endpoints.count)
        }
        return update.findings + UpdateWarnings.unknownTypes(in: update.manifest, endpoints: accepting)
    }
}

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
