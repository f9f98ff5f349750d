import PatchModel

/// A plan on paper.
struct PlanView {
    let report: PlanReport
    /// By endpoint and folder: how many steps are left out because their effect exists already.
    let equal: [String: Int]

    init(_ report: PlanReport, equal: [String: Int] = [:]) {
        self.report = report
        self.equal = equal
    }

    func print(json: Bool) throws {
        if json { return try Output.json(report) }
        Output.line("\(report.update) \(report.version)")
        for endpoint in report.endpoints {
            Output.line("")
            Output.line("endpoint \(endpoint.endpoint)")
            if !endpoint.unusable.isEmpty {
                Output.line("  would become unusable: \(endpoint.unusable.joined(separator: ", "))")
            }
            if let canary = endpoint.canary { Output.line("  canary: \(canary.text)") }
            if let sandbox = endpoint.sandbox { Output.line("  sandbox: \(sandbox.text)") }
            for fault in endpoint.faults { Output.line("  fault \(fault.code.rawValue): \(fault)") }
            for warning in endpoint.warnings { Output.line("  warning: \(warning)") }
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
