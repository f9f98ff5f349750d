import PatchModel

/// A plan on paper.
struct PlanView {
    let report: PlanReport
    /// By endpoint and folder: how many steps are left out because what they bring is there already.
    let equal: [String: Int]

    init(_ report: PlanReport, equal: [String: Int] = [:]) {
        self.report = report
        self.equal = equal
    }

    func print(json: Bool) throws {
        if json { return try Output.json(report) }
        Output.write("\(report.update) \(report.version)")
        for endpoint in report.endpoints {
            Output.write("")
            Output.write("endpoint \(endpoint.endpoint)")
            if !endpoint.unusable.isEmpty {
                Output.write("  would become unusable: \(endpoint.unusable.joined(separator: ", "))")
            }
            for fault in endpoint.faults { Output.write("  fault \(fault.code.rawValue): \(fault)") }
            for warning in endpoint.warnings { Output.write("  warning: \(warning)") }
            for folder in endpoint.folders { print(folder, of: endpoint.endpoint) }
        }
    }

    private func print(_ folder: FolderPlan, of endpoint: String) {
        let versions =
            folder.state == .pending
            ? "\(Output.version(folder.from)) -> \(folder.to)"
            : "\(Output.version(folder.from)), \(folder.state.rawValue)"
        Output.write("  \(folder.folder)  \(versions)")
        for step in folder.steps {
            Output.write("    \(step.title)")
            for (index, statement) in (step.statements ?? []).enumerated() {
                Output.write("      \(index + 1). \(statement)")
            }
        }
        if let count = equal["\(endpoint)/\(folder.folder)"], count > 0 {
            Output.write("    equal already: \(count)")
        }
    }
}
