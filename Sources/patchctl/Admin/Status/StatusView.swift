import PatchModel

/// A status on paper.
struct StatusView {
    let report: StatusReport
    let configuration: String

    init(_ report: StatusReport, configuration: String) {
        self.report = report
        self.configuration = configuration
    }

    func print() {
        if report.endpoints.isEmpty { Notes.line("nothing is known yet: the daemon has not loaded an endpoint") }
        var rows: [Table.Row] = []
        for endpoint in report.endpoints {
            rows.append(Table.Row([endpoint.endpoint, "VERSION", "STATUS", "SINCE", "REASON"]))
            rows += TreeView(folders: endpoint.folders).rows
        }
        Output.table(rows)
        printHolds()
        printUnits()
        printJobs()
        printConfiguration()
    }

    private func printUnits() {
        guard !report.units.isEmpty else { return }
        Output.line("")
        Output.table(
            [Table.Row(["UNIT DOWN", "SINCE", "WHY", "NEXT"])]
                + report.units.map { unit in
                    Table.Row([unit.unit, unit.since.map(LocalTime.text) ?? "", unit.problem, unit.next])
                })
    }

    private func printHolds() {
        guard !report.holds.isEmpty else { return }
        Output.line("")
        Output.table([HoldTable.head] + report.holds.map { HoldTable.row($0) })
    }

    private func printJobs() {
        guard !report.jobs.isEmpty else { return }
        Output.line("")
        Output.table([Table.Row(JobTable.head)] + report.jobs.map(JobTable.row))
    }

    private func printConfiguration() {
        if let refused = report.configuration.refused {
            Output.line("")
            Output.line(
                "the configuration in \(configuration) is refused; patchd keeps the one it has. See: patchctl config check",
                .red)
            Output.text(refused)
        } else if !report.configuration.readable, !report.endpoints.isEmpty {
            Notes.line(
                "this user may not read the configuration in \(configuration), so the folders are shown as a list")
        }
    }
}
