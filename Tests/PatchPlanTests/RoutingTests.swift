import PatchModel
import PatchPlan
import Testing

@Suite struct `Which folder gets which file` {
    private static let active = ["PAIE", "SEED", "SEED2", "SEEDPROD", "SEEDPROD2"]

    /// The contract's tree, SEED2 a test folder; SEEDPROD and SEEDPROD2 of the type specific.
    private func endpoint(
        programs: [String] = [], specific: [String] = [], hasSpecificFolders: Bool = true
    ) throws -> Endpoint {
        var endpoint = try Tree.endpoint()
        endpoint.programFiles = programs
        endpoint.specificPrograms = specific
        for index in endpoint.folders.indices where hasSpecificFolders {
            if endpoint.folders[index].name.hasPrefix("SEEDPROD") { endpoint.folders[index].role = .specific }
        }
        return endpoint
    }

    private func plan(
        _ files: [String], _ endpoint: Endpoint, present: [String: Set<String>] = [:], unknown: [String] = [],
        options: UpdateOptions = UpdateOptions(), target: Patch.Target = .all
    ) throws -> EndpointPlan {
        var facts: [String: FolderFacts] = [:]
        for name in Self.active where !unknown.contains(name) {
            facts[name] = try FolderFacts(present: Set((present[name] ?? []).map { ExactText($0) }))
        }
        let manifest = try Tree.manifest([
            Patch(name: "MAIN", type: "$ROOT", mandatory: true, path: "M", target: target)
        ])
        return try Planner(
            update: Tree.update(files, manifest), endpoint: endpoint, states: [:], options: options, facts: facts
        ).plan()
    }

    private func takers(_ path: String, _ plan: EndpointPlan) -> [String] {
        plan.folders.filter { folder in folder.steps.contains { $0.path == path } }.map(\.folder)
    }

    @Test func `Without globs every folder gets everything`() throws {
        let plan = try plan(["M/X.src", "M/a"], endpoint())
        #expect(takers("X.src", plan) == Self.active && takers("a", plan) == Self.active)
    }

    @Test func `Programs go to the root and to test folders, by name or by path`() throws {
        let plan = try plan(["M/T/p.src", "M/bin/x", "M/other/bin/x", "M/a"], endpoint(programs: ["*.src", "bin/**"]))
        #expect(plan.warnings == [] && plan.faults == [])
        #expect(takers("T/p.src", plan) == ["PAIE", "SEED2"])
        #expect(takers("bin/x", plan) == ["PAIE", "SEED2"])
        #expect(takers("other/bin/x", plan) == Self.active)
        #expect(takers("a", plan) == Self.active)
    }

    @Test func `A directory comes with what it holds`() throws {
        var endpoint = try endpoint(programs: ["*.src"])
        endpoint.handlers = ["dat": "/bin/x {file}"]
        let files = ["M/T/p.src", "M/T/deep/q.src", "M/mixed/a", "M/mixed/in/p.src", "M/D/x.dat"]
        var update = try Tree.update(
            files, Tree.manifest([Patch(name: "MAIN", type: "$ROOT", mandatory: true, path: "M")]))
        for path in ["M", "M/D", "M/T", "M/T/deep", "M/T/void", "M/T/void/void", "M/mixed", "M/mixed/in"] {
            update.entries.append(ContentEntry(path: path, kind: .directory, size: 0, mode: 0o755, sha256: ""))
        }
        update.entries.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        let plan = try Planner(update: update, endpoint: endpoint, states: [:], options: UpdateOptions()).plan()
        func directories(_ name: String) throws -> [String] {
            try plan.folder(name).steps.filter { $0.kind == .directory }.map(\.path)
        }
        #expect(try directories("PAIE") == ["T", "T/deep", "T/void", "T/void/void", "mixed", "mixed/in"])
        #expect(try directories("SEED") == ["T", "T/void", "T/void/void", "mixed"], "empty ones are meant")
    }

    @Test func `With target supervisor only the root gets anything`() throws {
        let plan = try plan(["M/p.src", "M/a"], endpoint(programs: ["*.src"]), target: .supervisor)
        #expect(takers("p.src", plan) == ["PAIE"] && takers("a", plan) == ["PAIE"])
    }

    @Test func `A specific program goes where it is, whatever the folder's type and programFiles say`() throws {
        let endpoint = try endpoint(programs: ["*"], specific: ["X*", "CNS???SPE*"])
        let files = ["M/T/X1.src", "M/CNSabcSPE.src", "M/CNSabSPE.src", "M/aX"]
        let plan = try plan(files, endpoint, present: ["SEED": ["T/X1.src"], "SEEDPROD2": ["T/X1.src"]])
        #expect(plan.warnings == [] && plan.faults == [])
        #expect(takers("T/X1.src", plan) == ["SEED", "SEEDPROD2"])
        #expect(takers("CNSabcSPE.src", plan) == ["SEEDPROD", "SEEDPROD2"], "no folder has it")
        #expect(takers("CNSabSPE.src", plan) == ["PAIE", "SEED2"])
        #expect(takers("aX", plan) == ["PAIE", "SEED2"])
    }

    @Test func `A new specific program goes nowhere where there is no specific folder, with a warning`() throws {
        let plan = try plan(["M/X1"], endpoint(specific: ["X*"], hasSpecificFolders: false))
        #expect(takers("X1", plan) == [])
        #expect(
            plan.warnings == [
                "the specific program \"X1\" goes nowhere: no folder of payroll has it, and none is of the type specific"
            ])
    }

    @Test func `A folder that is not in the job counts as one that has it`() throws {
        let plan = try plan(
            ["M/X1"], endpoint(specific: ["X*"]), present: ["SEED": ["X1"]],
            options: UpdateOptions(exclude: ["SEED"]))
        #expect(takers("X1", plan) == [])
        #expect(plan.warnings.count == 1 && plan.warnings[0].contains("only SEED has it"))
    }

    @Test func `Specific folders that the job leaves out are named`() throws {
        let plan = try plan(
            ["M/X1"], endpoint(specific: ["X*"]), options: UpdateOptions(exclude: ["SEEDPROD"]))
        #expect(plan.warnings.count == 1 && plan.warnings[0].contains("does not bring it to SEEDPROD, SEEDPROD2"))
    }

    @Test func `What is not known of a folder is a fault where it decides, and nowhere else`() throws {
        let endpoint = try endpoint(specific: ["X*"])
        let options = UpdateOptions(exclude: ["SEED"])
        let open = try plan(["M/X1"], endpoint, unknown: ["SEED"], options: options)
        #expect(open.faults.map(\.folder) == ["SEED"])
        let known = try plan(
            ["M/X1"], endpoint, present: ["PAIE": ["X1"]], unknown: ["SEED"], options: options)
        #expect(known.faults == [])
        #expect(try plan(["M/X1"], endpoint, unknown: ["SEED2"]).faults.map(\.folder) == ["SEED2"])
        #expect(try plan(["M/a"], endpoint, unknown: Self.active).faults == [])
    }

    @Test func `All active folders are asked for the specific programs that the job brings, and only then`() throws {
        let manifest = try Tree.manifest([Patch(name: "MAIN", type: "$ROOT", mandatory: true, path: "M")])
        func questions(_ files: [String], _ options: UpdateOptions) throws -> [FolderQuestion] {
            try Planner(
                update: Tree.update(files, manifest), endpoint: endpoint(specific: ["X*"]), states: [:],
                options: options
            ).questions()
        }
        let asked = try questions(["M/X2", "M/a/X1", "M/b"], UpdateOptions(exclude: ["SEED"]))
        #expect(asked.map(\.plan.folder) == Self.active)
        #expect(asked.allSatisfy { $0.ask == ["X2", "a/X1"] })
        #expect(try questions(["M/b"], UpdateOptions()).isEmpty)
    }

    @Test func `What commands bring goes the same ways, by the place that it is brought to`() throws {
        var endpoint = try endpoint(programs: ["*.src"], specific: ["X*"])
        endpoint.handlers = ["dat": "/bin/x {file}"]
        let jobs = #"[["filecopyto","a","T/p.src"],["filecopy","D/W.dat"],["filecopyto","a","X1"],["filecopy","a"]]"#
        let entries = ["M/D/W.dat", "M/a", "M/jobs.json"].map {
            ContentEntry(path: $0, kind: .file, size: 1, mode: 0o644, sha256: "of \($0)")
        }
        let manifest = try Tree.manifest([Patch(name: "MAIN", type: "$ROOT", mandatory: true, path: "M")])
        let update = try CheckedUpdate(checking: manifest, entries: entries) { _ throws(Refusal) in Array(jobs.utf8) }
        let asked = try Planner(update: update, endpoint: endpoint, states: [:], options: UpdateOptions()).questions()
        #expect(asked.map(\.plan.folder) == Self.active && asked.allSatisfy { $0.ask == ["X1"] })
        var facts: [String: FolderFacts] = [:]
        for name in Self.active { facts[name] = try FolderFacts(present: name == "SEED" ? [ExactText("X1")] : []) }
        let plan = try Planner(
            update: update, endpoint: endpoint, states: [:], options: UpdateOptions(), facts: facts
        ).plan()
        #expect(plan.faults == [] && plan.warnings == [])
        #expect(takers("T/p.src", plan) == ["PAIE", "SEED2"])
        #expect(takers("X1", plan) == ["SEED"])
        #expect(try plan.folder("SEED").lines == ["handler D/W.dat (MAIN)", "file X1 (MAIN)", "file a (MAIN)"])
        #expect(
            try plan.folder("PAIE").lines == [
                "directory T (MAIN)", "file T/p.src (MAIN)", "handler D/W.dat (MAIN)", "file a (MAIN)",
            ])
    }
}
