import ArgumentParser
import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what an update would do, without a job or a daemon; nothing is changed.",
        discussion: "Exits 1 where something keeps it from being applied, 3 where every folder is up to date.")

    @Argument(help: "The update archive.", completion: .file(extensions: ["zip"]))
    var file: String

    @OptionGroup var choice: OptionArguments

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var sent: SentFile

    @OptionGroup var directories: Directories

    func run() throws {
        do {
            try plan()
        } catch let refusal as Refusal {
            throw Failure(.refused, "refused: \(refusal.code.rawValue): \(refusal)")
        } catch let error as FileError {
            throw Failure(error.description)
        }
    }

    private func plan() throws {
        let archive = try sent.open(file)
        let configuration = try directories.configuration()
        let options = try choice.options(.test)
        let worker = try Worker()
        let signer = try SignatureLook(configuration, in: directories).signer(
            of: archive, sent.signature(of: file), called: sent.name(of: file), worker)
        if let signer { Notes.line("signed by \(signer)") }
        let verdict = try worker.unpack(archive, limits: configuration.daemon.limits, into: "tree")
        if let refusal = verdict.refusal { throw refusal }
        guard let update = verdict.update else { throw Failure("the check of \"\(file)\" came to no verdict") }
        let endpoints = try Acceptance.endpoints(
            for: update.manifest, options: options, among: configuration.endpoints)
        var report = PlanReport(update: update.manifest.name, version: update.manifest.version, endpoints: [])
        var equal: [String: Int] = [:]
        for endpoint in endpoints {
            let states = try directories.reading {
                try directories.hasState ? try directories.state.folders(of: endpoint.name) : [:]
            }
            let view = EndpointLook(
                update: update, endpoint: endpoint, states: states, options: options,
                isUnstable: try isUnstable(update.manifest))
            var plan = try view.plan(worker, &equal)
            plan.add(ArchiveWarnings(update, on: endpoint).texts)
            report.endpoints.append(plan)
        }
        let face = UpdateFace(
            manifest: update.manifest, options: options, plans: report.endpoints.map { ($0.endpoint, $0.folders) })
        try PlanView(report, equal: equal, face: face).print(json: json)
        if report.endpoints.contains(where: { !$0.faults.isEmpty }) { throw ExitStatus.failed.exit }
        if report.isUpToDate { throw ExitStatus.nothingToDo.exit }
    }

    /// As far as this user can see; a note says where that is not known.
    private func isUnstable(_ manifest: Manifest) throws -> Bool {
        do {
            return try directories.hasState && directories.state.unstable().contains(manifest.name, manifest.version)
        } catch let error as StoreError {
            guard error.isPermission else { throw Failure(error.description) }
            Notes.line("whether \(manifest.name) is marked unstable is not known here: \(error)")
            return false
        }
    }
}
