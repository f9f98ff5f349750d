import PatchConfig
import PatchModel
import Testing

/// What is odd about a configuration that is taken all the same.
@Suite struct `A configuration is warned of` {
    private func warnings(
        approval: Endpoint.Approval = .none, stop: [String] = [], approvers group: String = "patchd",
        droppers: Set<String> = [], approvers: Set<String> = [], units: Set<String>? = nil,
        exclude: [String] = [], on endpoints: [String]? = nil
    ) -> [String] {
        let folders = [
            Folder(name: "PAIE", parent: nil, role: .supervisor, path: "/srv/PAIE"),
            Folder(name: "SEED", parent: "PAIE", path: "/srv/SEED"),
        ]
        var endpoint = Endpoint(name: "payroll", path: "/srv", folders: folders)
        endpoint.approval = approval
        endpoint.tasks.stop = stop
        var daemon = DaemonSettings()
        daemon.approvers = group
        let options = UpdateOptions(operation: .apply, exclude: exclude)
        return ConfigurationWarnings(
            configuration: Configuration(daemon: daemon, endpoints: [endpoint]), droppers: droppers,
            approvers: approvers, units: units,
            choices: [.init(source: "job 1", endpoints: endpoints, options: options)]
        ).texts
    }

    @Test func `where who may drop may approve, and not where somebody may not`() {
        #expect(warnings().isEmpty)
        #expect(warnings(approval: .required).count == 1)
        #expect(
            warnings(approval: .required, approvers: "chiefs", droppers: ["anna"], approvers: ["anna", "ben"])
                .count == 1)
        #expect(
            warnings(approval: .required, approvers: "chiefs", droppers: ["anna", "cleo"], approvers: ["anna"])
                .isEmpty)
        #expect(warnings(approval: .required, approvers: "chiefs").isEmpty, "nobody drops but root")
    }

    @Test func `where a socket, timer or path has no service`() {
        let units: Set<String> = ["a.socket", "b.timer", "b.service", "c@.service", "c.socket", "d.path", "d@1.timer"]
        func about(_ unit: String) -> [String] { warnings(stop: [unit], units: units) }
        #expect(about("a.socket").first?.contains("there is no a.service") == true)
        #expect(about("d.path").count == 1)
        for fine in ["b.timer", "c.socket", "x.socket", "*.socket", "b.service"] { #expect(about(fine).isEmpty) }
        #expect(warnings(stop: ["a.socket"]).isEmpty, "units are not known")
    }

    @Test func `where one instance of a template is named and each folder has its own`() {
        #expect(warnings(stop: ["app@SEED.service"]).first?.contains("app@%f.service") == true)
        for fine in ["app@%f.service", "app@main.service", "app.service"] {
            #expect(warnings(stop: [fine]).isEmpty)
        }
    }

    @Test func `where options that wait name what is not configured`() {
        let found = warnings(exclude: ["SEDE", "SEED"])
        #expect(found.count == 1 && found[0].contains("did you mean \"SEED\"?"), "\(found)")
        #expect(found.first?.hasPrefix("job 1: ") == true)
        #expect(warnings(exclude: ["SEED"], on: ["payroll"]).isEmpty)
    }
}
