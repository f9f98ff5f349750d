import PatchModel
import PatchPlan
import Testing

@Suite struct `Handlers and hooks in a plan` {
    private func steps(
        _ files: [String], handlers: [String: String] = [:], hooks: Endpoint.Hooks = .init(), keep: [String] = []
    ) throws -> [PlannedStep] {
        var endpoint = try Tree.endpoint()
        endpoint.handlers = handlers
        endpoint.hooks = hooks
        let manifest = try Tree.manifest([
            Patch(name: "MAIN", type: "$ROOT", mandatory: true, path: "M", keep: keep),
            Patch(name: "BIS", type: "HRM", mandatory: false, path: "B/FIL"),
        ])
        let plan = try Planner(
            update: Tree.update(files, manifest), endpoint: endpoint, states: [:], options: UpdateOptions()
        ).plan()
        #expect(plan.faults == [])
        return try plan.folder("SEED").steps
    }

    private func lines(_ steps: [PlannedStep]) -> [String] {
        steps.map { "\($0.title)\($0.command.map { ": \($0)" } ?? "")" }
    }

    @Test func `A file with a handler goes to it between the files and the scripts of its patch`() throws {
        let files = ["M/DAT/W.dat", "M/z", "M/a.dat", "M/upgrades/8.0.2.sh", "B/FIL/c", "B/FIL/b.dat"]
        let found = try steps(files, handlers: ["dat": "/bin/x {file}"])
        #expect(
            lines(found) == [
                "file z", "handler DAT/W.dat: /bin/x {file}", "handler a.dat: /bin/x {file}", "script 8.0.2.sh",
                "file c", "handler b.dat: /bin/x {file}",
            ], "and no directory is made for it")
        #expect(
            found[1]
                == PlannedStep(
                    kind: .handler, path: "DAT/W.dat", patch: "MAIN", source: "M/DAT/W.dat", size: 11, mode: 0o755,
                    sha256: "of M/DAT/W.dat", command: "/bin/x {file}"))
    }

    @Test(arguments: [
        ("a.tar.gz", "/long {file}"), ("a.gz", "/short {file}"), ("a.GZ", nil), (".gz", nil),
        (".tar.gz", "/short {file}"),
        ("agz", nil), ("a.gz.old", nil), ("gz", nil), ("a..gz", "/short {file}"), ("a.\u{e9}", "/accent {file}"),
        ("a.e\u{301}", nil),
    ])
    func `The longest extension counts, to the byte`(_ name: String, _ command: String?) throws {
        let handlers = ["gz": "/short {file}", "tar.gz": "/long {file}", "\u{e9}": "/accent {file}"]
        let step = try #require(try steps(["M/\(name)"], handlers: handlers).first)
        #expect(step.command == command)
        #expect(step.kind == (command == nil ? .file : .handler))
    }

    @Test func `Scripts are scripts whatever their extension, and a kept file with a handler is handed over`() throws {
        let found = try steps(
            ["M/a.ini", "M/upgrades/8.0.2.sh", "M/downgrades/8.0.2.sh"],
            handlers: ["sh": "/bin/x {file}", "ini": "/bin/x {file}"], keep: ["*.ini"])
        #expect(lines(found) == ["handler a.ini: /bin/x {file}", "script 8.0.2.sh"])
        #expect(found.allSatisfy { !$0.keep })
    }

    @Test func `Hooks stand around everything that is done to a folder`() throws {
        var hooks = Endpoint.Hooks()
        (hooks.before, hooks.validate, hooks.after) = ("b", "v", "a")
        #expect(
            lines(try steps(["M/x", "B/FIL/y"], hooks: hooks)) == [
                "hook before: b", "file x", "file y", "hook validate: v", "hook after: a",
            ])
        hooks.before = ""
        hooks.after = ""
        #expect(lines(try steps(["M/x"], hooks: hooks)) == ["file x", "hook validate: v"])
    }

    @Test func `A folder that is left as it is has no hooks`() throws {
        var endpoint = try Tree.endpoint(["SEED": "8.0.2"])
        endpoint.hooks.before = "b"
        let plan = try Planner(
            update: Tree.update(), endpoint: endpoint, states: [:], options: UpdateOptions(exclude: ["SEED2"])
        ).plan()
        #expect(try plan.folder("SEED").steps.isEmpty)
        #expect(try plan.folder("SEED2").steps.isEmpty)
        #expect(try plan.folder("PAIE").steps.first?.kind == .hook)
    }
}
