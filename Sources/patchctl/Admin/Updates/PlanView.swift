import PatchModel

/// A plan on paper.
struct PlanView {
    let report: PlanReport
    /// By endpoint and folder: how many steps are left out because their effect exists already.
    let equal: [String: Int]
    /// What the update says of itself; nil where that is not known here.
    let face: UpdateFace?

    init(_ report: PlanReport, equal: [String: Int] = [:], face: UpdateFace? = nil) {
        self.report = report
        self.equal = equal
        self.face = face
    }

    func print(json: Bool) throws {
        if json { return try Output.json(report) }
        if let face {
            Output.lines(face.lines(within: Screen.size?.columns))
        } else {
            Output.line("\(report.update) \(report.version)")
        }
        for endpoint in report.endpoints {
            Output.line("")
            Output.line("endpoint \(endpoint.endpoint)")
            if !endpoint.unusable.isEmpty {
                Output.paragraph("would become unusable: \(endpoint.unusable.joined(separator: ", "))", lead: "  ")
            }
            if let canary = endpoint.canary { Output.paragraph("canary: \(canary.text)", lead: "  ") }
            if let sandbox = endpoint.sandbox { Output.paragraph("sandbox: \(sandbox.text)", lead: "  ") }
            for fault in endpoint.faults {
                Output.paragraph("fault \(fault.code.rawValue): \(fault)", lead: "  ", .red)
            }
            for warning in endpoint.warnings { Output.paragraph("warning: \(warning)", lead: "  ", .yellow) }
            for folder in endpoint.folders { show(folder, of: endpoint.endpoint) }
            for folder in endpoint.rehearsal?.folders ?? [] { RehearsalView(folder: folder).print() }
        }
    }

    private func show(_ folder: FolderPlan, of endpoint: String) {
        let from = folder.from?.description ?? "unknown"
        let versions =
            folder.state == .pending
            ? "\(from) -> \(folder.to)"
            : "\(from), \(folder.state.rawValue)"
        Output.line("  \(folder.folder)  \(versions)")
        for step in folder.steps {
            Output.line("    \(step.title)")
            for (index, statement) in (step.statements ?? []).enumerated() {
                Output.line("      \(index + 1). \(statement)")
            }
        }
        if let count = equal["\(endpoint)/\(folder.folder)"], count > 0 {
            Output.line("    already up to date: \(count)")
        }
    }
}
