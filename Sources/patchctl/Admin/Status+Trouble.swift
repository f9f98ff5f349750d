import PatchJSON
import PatchModel
import PatchStore

/// What an admin has to put right beside folders and jobs.
extension StatusReport {
    /// What the daemon said of its configuration.
    struct Configuration: Encodable {
        /// Whether the one on disk is refused, so that an older one is in effect; nil where that is not known.
        @OrNull var refused: Bool?
        var problems: [String]
        @OrNull var at: Timestamp?
    }

    /// A unit that ran before an update and does not come up again.
    struct Unit: Encodable {
        var unit: String
        var endpoints: [String]
        var problem: String
        @OrNull var since: Timestamp?
        var next: String
    }

    /// Only group patchd may read what the daemon said: the configuration may hold passwords.
    static func configuration(_ directories: Directories) throws -> Configuration {
        guard try directories.hasDirectory("configuration.json") else { return Configuration(problems: []) }
        do {
            guard let answer = try directories.state.configurationAnswer() else { return Configuration(problems: []) }
            return Configuration(
                refused: OrNull(wrappedValue: !answer.refused.isEmpty), problems: answer.refused,
                at: OrNull(wrappedValue: answer.at))
        } catch let error where error.isPermission {
            return Configuration(problems: [])
        }
    }

    static func units(_ directories: Directories) throws -> [Unit] {
        guard try directories.hasDirectory("units.json") else { return [] }
        return try directories.reading { try directories.state.units() }.down.sorted { $0.key < $1.key }
            .map { name, due in
                Unit(
                    unit: name, endpoints: due.endpoints, problem: due.problem, since: OrNull(wrappedValue: due.since),
                    next: "systemctl start \(name)")
            }
    }
}

extension Status {
    func printTrouble(_ report: StatusReport) {
        if report.configuration.refused == true {
            Output.write("")
            Output.write(
                "the configuration is refused since \(Output.time(report.configuration.at)), an older one is in effect; "
                    + "fix it, then: systemctl reload patchd")
            for problem in report.configuration.problems { Output.write("  \(Printable.text(problem))") }
        }
        guard !report.units.isEmpty else { return }
        Output.write("")
        Output.table(
            [["UNIT DOWN", "SINCE", "WHY", "NEXT"]]
                + report.units.map { [$0.unit, Output.time($0.since), $0.problem, $0.next] })
    }
}
