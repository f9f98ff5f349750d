import PatchModel
import PatchPlan
import Testing

struct PlannerTests {
    private func plan(
        _ options: UpdateOptions = UpdateOptions(), versions: [String: String] = [:], states: [FolderState] = [],
        update: CheckedUpdate? = nil, endpoint: Endpoint? = nil
    ) throws -> EndpointPlan {
        let byName = Dictionary(states.map { ($0.folder, $0) }) { first, _ in first }
        return try Planner(
            update: try update ?? Tree.update(), endpoint: try endpoint ?? Tree.endpoint(versions), states: byName,
            options: options
        ).plan()
    }

    // MARK: Which folders

    @Test func `Without options every active folder is raised, parents first`() throws {
        let plan = try plan()
        #expect(plan.endpoint == "payroll")
        #expect(plan.faults == [])
        #expect(plan.unusable == [])
        #expect(plan.warnings == [])
        #expect(plan.names(.pending) == ["PAIE", "SEED", "SEED2", "SEEDPROD", "SEEDPROD2"])
        #expect(plan.folders.count == 5)
        let seed = try plan.folder("SEED")
        #expect(seed.parent == "PAIE")
        #expect(seed.path == "/srv/payroll/SEED")
        #expect(seed.from == Version("8.0.1"))
        #expect(seed.to == Version("8.0.2"))
        #expect(seed.patches == ["MAIN": true, "BIS": true])
    }

    @Test(arguments: [
        (["SEED"], ["PAIE", "SEED2", "SEEDPROD", "SEEDPROD2"], ["SEED"]),
        (["SEEDPROD"], ["PAIE", "SEED", "SEED2"], ["SEEDPROD", "SEEDPROD2"]),
        (["SEEDPROD2", "SEED"], ["PAIE", "SEED2", "SEEDPROD"], ["SEED", "SEEDPROD2"]),
        (["PAIE"], [], []), (["OLD"], ["PAIE", "SEED", "SEED2", "SEEDPROD", "SEEDPROD2"], []),
    ])
    func `Excluding takes the descendants along and makes them unusable`(
        _ exclude: [String], _ pending: [String], _ unusable: [String]
    ) throws {
        let plan = try plan(UpdateOptions(exclude: exclude))
        #expect(plan.names(.pending) == pending)
        #expect(plan.unusable == unusable)
        #expect(plan.names(.excluded).count == 5 - pending.count)
        for folder in plan.folders where folder.state == .excluded {
            #expect(folder.to == Version("8.0.1"))
            #expect(folder.steps.isEmpty)
        }
    }

    @Test func `An excluded folder that has the version stays usable`() throws {
        let plan = try plan(UpdateOptions(exclude: ["SEED"]), versions: ["SEED": "8.0.3"])
        #expect(plan.unusable == [])
        #expect(try plan.folder("SEED").to == Version("8.0.3"))
    }

    @Test func `only confines the job to subtrees`() throws {
        let raised = ["PAIE": "8.0.2"]
        #expect(
            try plan(UpdateOptions(only: ["SEEDPROD"]), versions: raised).names(.pending) == ["SEEDPROD", "SEEDPROD2"])
        #expect(try plan(UpdateOptions(only: ["PAIE"])).names(.pending).count == 5)
        #expect(try plan(UpdateOptions(only: ["SEEDPROD2", "PAIE"])).names(.pending).count == 5)
        #expect(try plan(UpdateOptions(exclude: ["SEED"], only: ["PAIE"])).names(.pending).count == 4)
        #expect(
            try plan(UpdateOptions(only: ["SEED", "SEEDPROD"]), versions: raised).names(.excluded) == ["PAIE", "SEED2"])
    }

    @Test func `A test folder may run ahead`() throws {
        let plan = try plan(UpdateOptions(only: ["SEED2"]))
        #expect(plan.names(.pending) == ["SEED2"])
        #expect(plan.warnings == ["SEED2 runs ahead of its reference folder PAIE"])
        #expect(plan.faults == [])
    }

    @Test(arguments: [
        (["SEED"], [String]()), (["SEEDPROD2"], []), (["SEEDPROD", "SEED2"], []), (["OLD"], []), (["OLDER"], []),
        (["SEEDPROD2"], ["SEEDPROD"]), (["PAIE", "SEEDPROD2"], ["SEEDPROD"]),
    ])
    func `only refuses folders that cannot be raised by themselves`(_ only: [String], _ exclude: [String]) {
        let refusal = #expect(throws: Refusal.self) { try plan(UpdateOptions(exclude: exclude, only: only)) }
        #expect(refusal?.code == .optionsInvalid)
    }

    // MARK: Versions

    @Test(arguments: [("8.0.0", 1), ("8.0.1~rc", 1), ("8.0.1", 0), ("8.0.1.5", 0), ("8.0.01", 0)])
    func `A folder below the dependency is a fault that names it`(_ version: String, _ count: Int) throws {
        let plan = try plan(versions: ["SEED": version])
        #expect(plan.faults.count == count)
        if let fault = plan.faults.first {
            #expect(fault.folder == "SEED")
            #expect(fault.code == .dependency)
            for word in ["SEED", version, "8.0.1", "exclude"] { #expect(fault.message.contains(word)) }
        }
    }

    @Test func `Every fault is listed`() throws {
        let plan = try plan(versions: ["SEED": "8.0.0", "SEEDPROD": "1", "SEEDPROD2": "8.0.0"])
        #expect(plan.faults.map(\.folder) == ["SEED", "SEEDPROD", "SEEDPROD2"])
        #expect(try self.plan(UpdateOptions(exclude: ["SEEDPROD"]), versions: ["SEEDPROD": "1"]).faults == [])
    }

    @Test func `A folder without a known version is a fault that says baseline`() throws {
        let plan = try plan(endpoint: Tree.endpoint(["PAIE": "8.0.1"], version: nil))
        #expect(plan.faults.map(\.folder) == ["SEED", "SEED2", "SEEDPROD", "SEEDPROD2"])
        #expect(plan.faults.allSatisfy { $0.code == .dependency })
        #expect(plan.faults.first?.message.contains("patchctl baseline payroll/SEED") == true)
    }

    @Test func `State beats configuration`() throws {
        let plan = try plan(
            versions: ["SEED": "8.0.0"], states: [Tree.state("SEED", "8.0.1"), Tree.state("SEED2", "8.0.0")])
        #expect(plan.faults.map(\.folder) == ["SEED2"])
    }

    @Test(arguments: ["8.0.2", "8.0.02", "8.0.3", "9"])
    func `A folder at or above the version is up to date`(_ version: String) throws {
        let plan = try plan(versions: ["PAIE": version, "SEED": version])
        #expect(plan.names(.upToDate) == ["PAIE", "SEED"])
        #expect(try plan.folder("SEED").to == Version(version))
        #expect(try plan.folder("SEED").steps == [])
    }

    @Test func `An optional patch is brought later, with the scripts it would have had`() throws {
        let states = [
            try Tree.state(
                "PAIE", "8.0.2", update: "X3V8_P2", patches: ["MAIN": true, "BIS": true], previous: "8.0.1"),
            try Tree.state(
                "SEED", "8.0.2", update: "X3V8_P2", patches: ["MAIN": true, "BIS": false], previous: "8.0.1"),
            try Tree.state(
                "SEED2", "8.0.3", update: "X3V8_P2", patches: ["MAIN": true, "BIS": false], previous: "8.0.2"),
            try Tree.state("SEEDPROD", "8.0.2", update: "OTHER", patches: [:], previous: "8.0.1"),
        ]
        let plan = try plan(states: states)
        #expect(plan.names(.upToDate) == ["PAIE", "SEED2", "SEEDPROD"])
        let seed = try plan.folder("SEED")
        #expect(seed.state == .pending)
        #expect(seed.lines == ["directory conf (BIS)", "file conf/bis.ini (BIS)", "script 8.0.2_bis.sh (BIS)"])
        #expect(seed.from == Version("8.0.2") && seed.scriptsFrom == Version("8.0.1"))
        #expect(seed.patches == ["MAIN": true, "BIS": true])
        let without = try self.plan(UpdateOptions(patches: ["BIS": false]), states: states)
        #expect(try without.folder("SEED").state == .upToDate)
        #expect(try without.folder("SEED").patches == ["MAIN": true, "BIS": false])
        #expect(try without.folder("PAIE").patches == ["MAIN": true, "BIS": true])
    }

    @Test func `Bringing a patch later makes no excluded folder unusable`() throws {
        let states = [
            try Tree.state(
                "PAIE", "8.0.2", update: "X3V8_P2", patches: ["MAIN": true, "BIS": false], previous: "8.0.1")
        ]
        let plan = try plan(UpdateOptions(exclude: ["SEED"]), states: states)
        #expect(try plan.folder("PAIE").state == .pending)
        #expect(plan.unusable == [])
    }

    // MARK: Patches and steps

    @Test func `Steps come patch by patch: directories once, files, scripts`() throws {
        #expect(
            try plan().folder("SEED").lines == [
                "directory conf (MAIN)", "file conf-x (MAIN)", "file conf/app.ini (MAIN)", "script 8.0.2~a.sh (MAIN)",
                "script 8.0.2.sh (MAIN)", "file conf/bis.ini (BIS)", "script 8.0.2_bis.sh (BIS)",
            ])
        let steps = try plan().folder("SEED").steps
        #expect(
            steps.first { $0.path == "conf/bis.ini" }
                == PlannedStep(
                    kind: .file, path: "conf/bis.ini", patch: "BIS", source: "B/FIL/conf/bis.ini", size: 18,
                    mode: 0o755,
                    sha256: "of B/FIL/conf/bis.ini"))
        #expect(steps.first { $0.kind == .script }?.source == "M/upgrades/8.0.2~a.sh")
        #expect(
            steps.first { $0.kind == .directory }
                == PlannedStep(kind: .directory, path: "conf", patch: "MAIN", source: "M/conf"))
    }

    @Test func `Scripts run where from is below and the version is not above`() throws {
        let manifest = try Tree.manifest(dependency: "7")
        let files =
            ["M/a", "B/FIL/b"] + ["7.9", "8.0.0", "8.0.1~b", "8.0.1", "8.0.2~x", "8.0.2"].map { "M/upgrades/\($0).sh" }
        let plan = try plan(versions: ["SEED": "8.0.0", "SEED2": "8.0.1~b"], update: Tree.update(files, manifest))
        func scripts(_ name: String) throws -> [String] {
            try plan.folder(name).steps.filter { $0.kind == .script }.map(\.path)
        }
        #expect(try scripts("PAIE") == ["8.0.2~x.sh", "8.0.2.sh"])
        #expect(try scripts("SEED") == ["8.0.1~b.sh", "8.0.1.sh", "8.0.2~x.sh", "8.0.2.sh"])
        #expect(try scripts("SEED2") == ["8.0.1.sh", "8.0.2~x.sh", "8.0.2.sh"])
    }

    @Test func `The way back is the downgrades of what is brought, the last one first`() throws {
        let files = ["M/a", "B/FIL/b"] + ["8.0.1", "8.0.2~x", "8.0.2", "8.0.3"].map { "M/downgrades/\($0).sh" }
        let plan = try plan(update: Tree.update(files + ["B/FIL/downgrades/8.0.2.sh", "M/downgrades/README"]))
        let downgrades = try plan.folder("SEED").downgrades
        #expect(
            downgrades.map(\.source) == [
                "B/FIL/downgrades/8.0.2.sh", "M/downgrades/8.0.2.sh", "M/downgrades/8.0.2~x.sh",
            ])
        #expect(try plan.folder("SEED").step(2) == downgrades[0])
    }

    @Test func `Files that the admin may own are marked, by name wherever they lie or by path`() throws {
        let manifest = try Tree.manifest([
            Patch(name: "MAIN", type: "$ROOT", mandatory: true, path: "M", keep: ["*.ini", "conf/**/local"])
        ])
        let files = ["M/a.ini", "M/conf/a.ini", "M/conf/deep/local", "M/local", "M/a.dat"]
        let plan = try plan(update: Tree.update(files, manifest))
        #expect(plan.faults == [])
        let kept = try plan.folder("SEED").steps.filter(\.keep).map(\.path)
        #expect(kept == ["a.ini", "conf/a.ini", "conf/deep/local"])
    }

    @Test func `A directory that a file replaced is made again by a later patch`() throws {
        let patches = ["A", "B", "C"].map { Patch(name: $0, type: "$ROOT", mandatory: true, path: $0) }
        let files = ["A/d/deep/x", "B/d", "C/d/deep/y"]
        let plan = try plan(update: Tree.update(files, Tree.manifest(patches)))
        #expect(
            try plan.folder("SEED").lines == [
                "directory d (A)", "directory d/deep (A)", "file d/deep/x (A)", "file d (B)", "directory d (C)",
                "directory d/deep (C)", "file d/deep/y (C)",
            ])
    }

    @Test func `A type that no folder's modules list, and scripts whose names are wrong, are warnings of the plan`()
        throws
    {
        let manifest = try Tree.manifest([
            Patch(name: "MAIN", type: "$ROOT", mandatory: true, path: "M"),
            Patch(name: "BIS", type: "HRMM", mandatory: false, path: "B/FIL"),
        ])
        var update = try Tree.update(["M/a", "B/FIL/a"], manifest)
        update.findings = (1...25).map { .warning("scriptIgnored", at: "M/upgrades/V\($0).sql", "is ignored") }
        let warnings = try plan(update: update).warnings
        #expect(
            warnings.first?.hasPrefix("typeUnknown: update.json: patches[1].type: no folder of payroll has") == true)
        #expect(warnings.first?.hasSuffix("did you mean \"HRM\"?") == true)
        #expect(warnings.contains("scriptIgnored: M/upgrades/V1.sql: is ignored"))
        #expect(warnings.last == "scriptIgnored: 5 more like these" && warnings.count == 22)
        #expect(try plan(update: Tree.update()).warnings.isEmpty)
    }

    @Test func `Patches go where type and target aim, and where they are on`() throws {
        let manifest = try Tree.manifest([
            Patch(name: "MAIN", type: "$ROOT", mandatory: true, path: "M", target: .supervisor),
            Patch(name: "FIN", type: "FIN", mandatory: true, path: "F"),
            Patch(name: "BIS", type: "HRM", mandatory: false, path: "B/FIL", isOnByDefault: false),
        ])
        let update = try Tree.update(["M/a", "F/a", "B/FIL/a"], manifest)
        var endpoint = try Tree.endpoint()
        endpoint.folders = endpoint.folders.map {
            var folder = $0
            if folder.name == "SEED" { folder.modules = ["FIN"] }
            return folder
        }
        let plan = try plan(update: update, endpoint: endpoint)
        #expect(try plan.folder("PAIE").patches == ["MAIN": true, "BIS": false])
        #expect(try plan.folder("PAIE").lines == ["file a (MAIN)"])
        #expect(try plan.folder("SEED").lines == ["file a (FIN)"])
        // At SEED2 nothing aims but what is off; it is raised all the same.
        #expect(try plan.folder("SEED2").state == .pending)
        #expect(try plan.folder("SEED2").steps == [])
        let on = try self.plan(UpdateOptions(patches: ["BIS": true]), update: update, endpoint: endpoint)
        #expect(try on.folder("SEED2").lines == ["file a (BIS)"])
        #expect(try on.folder("SEED").lines == ["file a (FIN)"])
    }

    @Test func `A patch that was asked for and aims nowhere gets a warning`() throws {
        let manifest = try Tree.manifest([Patch(name: "FIN", type: "FIN", mandatory: false, path: "F")])
        let plan = try plan(UpdateOptions(patches: ["FIN": true]), update: Tree.update(["F/a"], manifest))
        #expect(plan.warnings.count == 1)
        #expect(plan.names(.pending).count == 5)
    }

    @Test(arguments: ["M/upgrades/8.0.2.sql", "M/upgrades/8.0.2.php", "M/upgrades/8.0.2.sh"])
    func `A script is a step of its own and no file, whatever runs it`(_ file: String) throws {
        let plan = try plan(update: Tree.update(["B/FIL/b", file]))
        #expect(plan.faults.isEmpty)
        #expect(try plan.folder("SEED").steps.filter { $0.source == file }.map(\.kind) == [.script])
    }

    @Test func `The file of a database is never a target`() throws {
        var endpoint = try Tree.endpoint()
        for (index, folder) in endpoint.folders.enumerated() {
            if folder.name == "SEED" { endpoint.folders[index].database = try DatabaseReference("sqlite:conf/app.ini") }
            if folder.name == "SEED2" {
                endpoint.folders[index].database = try DatabaseReference("sqlite:/srv/payroll/SEED2/conf/app.ini")
            }
            if folder.name == "PAIE" { endpoint.folders[index].database = try DatabaseReference("sqlite:conf/app.db") }
        }
        let faults = try plan(endpoint: endpoint).faults
        #expect(faults.map(\.folder) == ["SEED", "SEED2"])
        #expect(faults.allSatisfy { $0.code == .database })
    }

    @Test func `File names in different Unicode form are different files`() throws {
        let plan = try plan(update: Tree.update(["M/é/a", "M/e\u{301}/a", "M/b/\u{301}c", "B/FIL/b"]))
        let steps = try plan.folder("SEED").steps
        #expect(steps.filter { $0.kind == .file && $0.patch == "MAIN" }.count == 3)
        #expect(
            steps.filter { $0.kind == .directory }.map { Array($0.path.utf8) } == [
                Array("b".utf8), Array("e\u{301}".utf8), Array("é".utf8),
            ])
    }

    // MARK: What goes away

    @Test func `What a patch deletes goes before its files come, what is deeper first`() throws {
        let manifest = try Tree.manifest([
            Patch(
                name: "A", type: "$ROOT", mandatory: true, path: "A", keep: ["*.ini"],
                delete: ["old", "conf/app.ini", "old/x"]),
            Patch(name: "B", type: "$ROOT", mandatory: true, path: "B", delete: ["lib"]),
            Patch(name: "C", type: "$ROOT", mandatory: true, path: "C"),
        ])
        let files = ["A/lib/a", "B/b", "C/lib/c", "A/upgrades/8.0.2.sh"]
        let seed = try plan(update: Tree.update(files, manifest)).folder("SEED")
        #expect(
            seed.lines == [
                "remove old/x (A)", "remove old (A)", "remove conf/app.ini (A)", "directory lib (A)", "file lib/a (A)",
                "script 8.0.2.sh (A)", "remove lib (B)", "file b (B)", "directory lib (C)", "file lib/c (C)",
            ])
        #expect(seed.steps.filter { $0.kind == .remove }.allSatisfy { $0.mayBeDirectory == true })
        #expect(seed.steps.filter(\.keep).map(\.path) == ["conf/app.ini"])
    }

    @Test(arguments: ["Data/app.db", "Data/app.db-wal", "Data"])
    func `The file of a database is never deleted, nor what it lies in`(_ path: String) throws {
        var endpoint = try Tree.endpoint()
        endpoint.folders[1].database = try DatabaseReference("sqlite:Data/app.db")
        let manifest = try Tree.manifest([
            Patch(name: "A", type: "$ROOT", mandatory: true, path: "A", delete: [path, "Data-2"])
        ])
        let plan = try plan(update: Tree.update(["A/a"], manifest), endpoint: endpoint)
        #expect(plan.faults.map(\.code) == [.database])
    }
}
