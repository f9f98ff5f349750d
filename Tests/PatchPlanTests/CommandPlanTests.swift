import Foundation
import PatchJSON
import PatchModel
import PatchPlan
import Testing

/// What `jobs.json` and `datafiles.json` come to; the update is checked as in an archive.
@Suite struct `The commands of a patch` {
    static let data = #"""
        {"Address": {"files": ["Data/ADDR*", "Data/ADDR.IDX"], "record": {"id": 7, "n": 1.0}},
         "Rates": {"files": ["Data/RATES.DBM"], "rows": "rows/rates.csv", "key": ["code"], "preserve": ["own"]},
         "Both": {"files": ["Data/BOTH.DBM"], "formdata": {"file": "Forms/both.frm", "title": "B"}},
         "Plain": {"files": ["Forms/plain.frm"], "formdata": {"title": "P"}},
         "Bare": {"record": {}}}
        """#

    static let names = [
        "Data/ADDR.DBM", "Data/ADDR.IDX", "Data/RATES.DBM", "Data/BOTH.DBM", "Forms/both.frm", "Forms/plain.frm",
        "Forms/extra.frm", "bin/tool", "rows/rates.csv", "upgrades/8.0.2.sh", "downgrades/8.0.2.sh",
    ]

    private func update(
        _ jobs: [String: String?], data: String = data, names: [String] = names, keep: [String] = []
    ) throws -> CheckedUpdate {
        let patches = jobs.keys.sorted()
        var content: [String: String] = [:]
        var entries: [ContentEntry] = []
        for patch in patches {
            for name in names {
                entries.append(
                    ContentEntry(path: "\(patch)/\(name)", kind: .file, size: 3, mode: 0o644, sha256: "of \(name)"))
            }
            content["\(patch)/datafiles.json"] = data
            if let text = jobs[patch] ?? nil { content["\(patch)/jobs.json"] = text }
        }
        for name in content.keys { entries.append(ContentEntry(path: name, kind: .file, size: 3, sha256: name)) }
        let manifest = try Tree.manifest(
            patches.map { Patch(name: $0, type: "$ROOT", mandatory: true, path: $0, keep: keep) })
        return try CheckedUpdate(checking: manifest, entries: entries) { path throws(Refusal) in
            Array((content[path] ?? "").utf8)
        }
    }

    private func planner(
        _ update: CheckedUpdate, registry: String? = nil, database: String? = nil, isKnown: Bool = true,
        programs: [String] = [], present: [String] = []
    ) throws -> Planner {
        var endpoint = try Tree.endpoint()
        endpoint.programFiles = programs
        endpoint.folders = endpoint.folders.filter { $0.name == "PAIE" || !programs.isEmpty && $0.name == "SEED" }
            .sorted { $0.name < $1.name }
        endpoint.folders[0].database = try database.map { try DatabaseReference($0) }
        let facts = try FolderFacts(
            registryText: registry, registrySHA256: registry.map { "of \($0.utf8.count)" },
            present: Set(present.map { ExactText($0) }))
        return Planner(
            update: update, endpoint: endpoint, states: [:], options: UpdateOptions(),
            facts: isKnown ? ["PAIE": facts, "SEED": facts] : [:])
    }

    private func plan(
        _ jobs: String, data: String = data, registry: String? = nil, database: String? = nil
    ) throws -> (lines: [String], faults: [Fault], steps: [PlannedStep]) {
        let plan = try planner(update(["A": jobs], data: data), registry: registry, database: database).plan()
        let steps = try plan.folder("PAIE").steps.filter { $0.kind != .script }
        return (steps.map { "\($0.kind) \($0.path)" }, plan.faults, steps)
    }

    /// The registry that a plan's last step makes.
    private func registry(_ steps: [PlannedStep]) throws -> DataRegistry {
        try DataRegistry(text: #require(steps.last { $0.kind == .registry }?.registry?.text))
    }

    static let registry = #"""
        {"schema":1,"tables":{"Address":{"files":["Data/ADDR.DBM","Data/OLD.DBM"],"record":{"id":1},"deleted":false},
         "Gone":{"files":[],"record":{},"deleted":true}},
         "forms":{"Both":{"files":["Forms/old.frm"],"record":{"title":"old"},"deleted":false}}}
        """#

    // MARK: Files

    @Test func `bring only what they name, in their order, with the directories above it`() throws {
        let (lines, faults, steps) = try plan(
            #"[["filecopy","bin/tool"],["filedelete","bin/tool.old"],["filecopyto","bin/tool","x/y/other"],["filecopy","Data/ADDR.DBM"],["filecopy","Data/ADDR.IDX"]]"#
        )
        #expect(faults == [])
        #expect(
            lines == [
                "directory bin", "file bin/tool", "remove bin/tool.old", "directory x", "directory x/y",
                "file x/y/other", "directory Data", "file Data/ADDR.DBM", "file Data/ADDR.IDX",
            ])
        #expect(steps[5].source == "A/bin/tool" && steps[5].sha256 == "of bin/tool" && steps[5].mode == 0o644)
    }

    @Test func `that only stage a file bring nothing into the folder`() throws {
        let (lines, _, steps) = try plan(#"[["fileupload","bin/tool"],["filecopyto","tool","tool"]]"#)
        #expect(lines == ["upload bin/tool", "file tool"])
        #expect(steps.first?.source == "A/bin/tool" && steps.first?.sha256 == "of bin/tool")
    }

    /// A folder that was there before patchd has tables and forms that its registry does not know.
    @Test(arguments: [
        (#"[["replacedata","Address"]]"#, ["Data/ADDR.DBM", "Data/ADDR.IDX"], FaultCode?.none),
        (#"[["replacedata","Address"]]"#, ["Data/ADDR.DBM"], .missing),
        (#"[["replaceform","Both"]]"#, ["Forms/both.frm"], nil), (#"[["replaceform","Both"]]"#, [], .missing),
        (#"[["replacedata","Bare"]]"#, [], .missing),
        (#"[["deletedata","Address"],["replacedata","Address"]]"#, ["Data/ADDR.DBM", "Data/ADDR.IDX"], nil),
    ])
    func `replace a table or form that is not registered where all its files are there`(
        _ jobs: String, _ present: [String], _ code: FaultCode?
    ) throws {
        let update = try update(["A": jobs])
        var planner = try planner(update, isKnown: false)
        let asked = Set(try planner.questions().flatMap(\.ask))
        #expect(asked.isSuperset(of: present), "what it depends on is asked for")
        planner = try self.planner(update, present: present)
        #expect(try planner.plan().faults.map(\.code) == (code.map { [$0] } ?? []))
    }

    @Test func `leave scripts as they are, and none of them copies the two files themselves`() throws {
        let update = try update(["A": #"[["filecopy","bin/tool"]]"#])
        let plan = try planner(update).plan()
        #expect(
            try plan.folder("PAIE").lines == ["directory bin (A)", "file bin/tool (A)", "script 8.0.2.sh (A)"])
        #expect(try plan.folder("PAIE").downgrades.count == 1)
    }

    @Test func `Without them everything is copied but what describes it`() throws {
        let plan = try planner(update(["A": nil]), isKnown: false).plan()
        let files = try plan.folder("PAIE").steps.filter { $0.kind == .file }.map(\.path)
        #expect(files == Self.names.filter { !$0.contains("grades/") }.sorted())
        #expect(plan.faults == [])
    }

    @Test func `mark files that the admin may own by the name that they get`() throws {
        let update = try update(
            ["A": #"[["filecopyto","bin/tool","app.ini"],["filecopy","bin/tool"]]"#], keep: ["*.ini"])
        let steps = try planner(update).plan().folder("PAIE").steps
        #expect(steps.filter(\.keep).map(\.path) == ["app.ini"])
    }

    // MARK: Tables

    @Test func `install a table with its files, patterns too, and its record`() throws {
        let (lines, faults, steps) = try plan(#"[["installdata","Address"]]"#)
        #expect(faults == [])
        #expect(lines == ["directory Data", "file Data/ADDR.DBM", "file Data/ADDR.IDX", "registry registry.json"])
        #expect(steps[3].registry?.was == nil)
        #expect(
            steps[3].registry?.text
                == #"{"schema":1,"tables":{"Address":{"files":["Data/ADDR.DBM","Data/ADDR.IDX"],"record":{"id":7,"n":1.0},"deleted":false}},"forms":{}}"#
                + "\n")
        #expect(UInt64(steps[3].registry?.text.utf8.count ?? 0) == steps[3].size)
    }

    @Test(arguments: [
        (#"[["installdata","Address"]]"#, FaultCode.exists), (#"[["replacedata","Bare"]]"#, .missing),
        (#"[["installform","Both"]]"#, .exists), (#"[["replaceform","Plain"]]"#, .missing),
        (#"[["installdata","Bare"],["installdata","Bare"]]"#, .exists),
        (#"[["deletedata","Address"],["replacedata","Address"]]"#, .missing),
        // Tables and forms have names of their own.
        (#"[["installform","Plain"],["replacedata","Plain"]]"#, .missing),
    ])
    func `fail where a table or form is there, or is not`(_ jobs: String, _ code: FaultCode) throws {
        let faults = try plan(jobs, registry: Self.registry).faults
        #expect(faults.map(\.code) == [code])
        for word in ["PAIE", "A/jobs.json", "registry.json", "exclude"] {
            #expect(faults.first?.message.contains(word) == true)
        }
    }

    @Test(arguments: [
        #"[["replacedata","Address"]]"#, #"[["installorreplacedata","Address"]]"#,
        #"[["installorreplacedata","Bare"]]"#, #"[["installorreplaceform","Both"]]"#,
        #"[["installorreplaceform","Plain"]]"#,
        #"[["deletedata","Address"],["installdata","Address"]]"#, #"[["installdata","Bare"],["replacedata","Bare"]]"#,
        #"[["deletedata","Never"],["deletedata","Gone"]]"#,
    ])
    func `see what the folder has and what those before them did`(_ jobs: String) throws {
        #expect(try plan(jobs, registry: Self.registry).faults == [])
    }

    @Test func `replace a table with all its files`() throws {
        let (lines, _, steps) = try plan(#"[["replacedata","Address"]]"#, registry: Self.registry)
        #expect(
            lines == [
                "directory Data", "file Data/ADDR.DBM", "file Data/ADDR.IDX", "remove Data/OLD.DBM",
                "registry registry.json",
            ])
        #expect(steps[4].registry?.was == "of \(Self.registry.utf8.count)")
        let address = try #require(try registry(steps).tables["Address"])
        #expect(address.files == ["Data/ADDR.DBM", "Data/ADDR.IDX"])
        #expect(address.record == .object([.init("id", .number("7")), .init("n", .number("1.0"))]))
        #expect(try registry(steps).tables["Gone"]?.deleted == true)
    }

    @Test(arguments: [
        (#"[["filecopyto","bin/tool","Data/OLD.DBM"],["replacedata","Address"]]"#, false),
        (#"[["filecopyto","bin/tool","Data/OLD.DBM"],["deletedata","Address"]]"#, false),
        (#"[["filecopyto","bin/tool","Data/OLD.DBM"],["filedelete","Data/OLD.DBM"],["replacedata","Address"]]"#, true),
        (#"[["replacedata","Address"],["filecopyto","bin/tool","Data/OLD.DBM"]]"#, false),
        (#"[["filecopy","bin/tool"],["replacedata","Address"]]"#, true),
    ])
    func `keep an old file of a table that the job brings besides`(_ jobs: String, _ isGone: Bool) throws {
        let steps = try plan(jobs, registry: Self.registry).steps
        #expect((steps.last { $0.path == "Data/OLD.DBM" }?.kind == .remove) == isGone)
    }

    @Test func `keep an old file of a table that an earlier patch copies`() throws {
        let data = #"{"Address": {"files": ["Data/ADDR.DBM"]}}"#
        var names = Self.names
        names.append("Data/OLD.DBM")
        let update = try update(
            ["A": nil, "B": #"[["replacedata","Address"]]"#], data: data, names: names)
        let steps = try planner(update, registry: Self.registry).plan().folder("PAIE").steps
        #expect(steps.filter { $0.path == "Data/OLD.DBM" }.map(\.kind) == [.file])
    }

    @Test func `name in a folder's registry only the files that it gets, and remove none that others get`() throws {
        let update = try update(["A": #"[["installorreplacedata","Address"],["installform","Plain"]]"#])
        let plan = try planner(update, registry: Self.registry, programs: ["*.DBM", "*.frm"]).plan()
        #expect(plan.faults == [])
        let root = try plan.folder("PAIE").steps, other = try plan.folder("SEED").steps
        #expect(try registry(root).tables["Address"]?.files == ["Data/ADDR.DBM", "Data/ADDR.IDX"])
        #expect(try registry(root).forms["Plain"]?.files == ["Forms/plain.frm"])
        #expect(try registry(other).tables["Address"]?.files == ["Data/ADDR.IDX"])
        #expect(try registry(other).forms["Plain"]?.files == [])
        #expect(other.filter { $0.kind == .remove }.map(\.path) == ["Data/OLD.DBM"])
    }

    @Test func `delete a table with its files, but none that another one has too`() throws {
        let shared = #"""
            {"schema":1,"tables":{"T":{"files":["Data/T.DBM","Data/S.DBM"]},"U":{"files":["Data/S.DBM"]},
             "V":{"files":["Data/T.DBM"],"deleted":true}}}
            """#
        let (lines, faults, steps) = try plan(#"[["deletedata","T"]]"#, registry: shared)
        #expect(faults == [])
        #expect(lines == ["remove Data/T.DBM", "registry registry.json"])
        let table = try #require(try registry(steps).tables["T"])
        #expect(table.deleted && table.files.isEmpty)
    }

    @Test func `that change nothing of the registry leave its text as it is`() throws {
        let (lines, _, steps) = try plan(#"[["deletedata","Never"]]"#, registry: Self.registry)
        #expect(lines == ["registry registry.json"])
        #expect(steps[0].registry?.text == Self.registry)
        #expect(try plan(#"[["deletedata","Never"]]"#).lines == [])
    }

    // MARK: Forms

    @Test(arguments: [
        (#"["installorreplaceform","Both"]"#, "Forms/both.frm"), (#"["installform","Plain"]"#, "Forms/plain.frm"),
        (#"["installform","Plain","Forms/extra.frm"]"#, "Forms/extra.frm"),
        (#"["replaceform","Both","Forms/extra.frm"]"#, "Forms/extra.frm"),
        (#"["installform","Unknown","Forms/extra.frm"]"#, "Forms/extra.frm"),
    ])
    func `bring the file of a form that they name, or its record, or its entry`(
        _ command: String, _ file: String
    ) throws {
        let (lines, faults, steps) = try plan("[\(command)]", registry: Self.registry)
        #expect(faults == [])
        #expect(lines.filter { $0.hasPrefix("file") } == ["file \(file)"])
        #expect(lines.contains("remove Forms/old.frm") == command.contains("Both"))
        #expect(try registry(steps).forms.values.filter { $0.files == [file] }.count == 1)
        if command.contains("Both") {
            let title = JSONValue.object([.init("file", .string("Forms/both.frm")), .init("title", .string("B"))])
            #expect(try registry(steps).forms["Both"]?.record == title)
        }
    }

    @Test(arguments: [
        (#"[["installdata","Addres"]]"#, "Address"), (#"[["installform","Bare"]]"#, "names its file"),
        (#"[["replaceform","None"]]"#, "says nothing"),
    ])
    func `of which nothing is said are refused with the archive`(_ jobs: String, _ word: String) {
        let refusal = #expect(throws: Refusal.self) { try update(["A": jobs]) }
        #expect(refusal?.code == .manifestInvalid && refusal?.place == "A/jobs.json")
        #expect(refusal?.reason.contains(word) == true)
    }

    // MARK: Several patches

    @Test func `see what an earlier patch has done`() throws {
        let jobs = [
            "A": #"[["installdata","Bare"],["installdata","Address"]]"#,
            "B": #"[["replacedata","Bare"],["deletedata","Address"]]"#,
        ]
        let plan = try planner(update(jobs)).plan()
        #expect(plan.faults == [])
        let steps = try plan.folder("PAIE").steps.filter { $0.kind != .script }
        #expect(
            steps.map { "\($0.kind) \($0.path) \($0.patch)" } == [
                "directory Data A", "file Data/ADDR.DBM A", "file Data/ADDR.IDX A", "registry registry.json A",
                "remove Data/ADDR.DBM B", "remove Data/ADDR.IDX B", "registry registry.json B",
            ])
        #expect(try registry(steps).tables.filter { !$0.value.deleted }.map(\.key) == ["Bare"])
    }

    // MARK: Facts

    @Test func `ask for the registry only where they need it`() throws {
        func asked(_ jobs: [String: String?]) throws -> [String] {
            try planner(update(jobs), isKnown: false).questions().map(\.plan.folder)
        }
        #expect(try asked(["A": nil]) == [])
        #expect(try asked(["A": #"[["filecopy","bin/tool"],["filedelete","x"]]"#]) == [])
        for command in ["installdata", "replacedata", "installorreplacedata", "deletedata"] {
            #expect(try asked(["A": #"[["\#(command)","Address"]]"#]) == ["PAIE"])
        }
        for command in ["installform", "replaceform", "installorreplaceform"] {
            #expect(try asked(["A": nil, "B": #"[["\#(command)","Both"]]"#]) == ["PAIE"])
        }
        let questions = try planner(update(["A": #"[["deletedata","T"]]"#]), isKnown: false).questions()
        #expect(questions.first?.plan.steps == [] && questions.first?.plan.downgrades == [])
    }

    @Test func `are a fault in a folder that could not be looked at, which says why`() throws {
        let update = try update(["A": #"[["installdata","Address"]]"#])
        let faults = try planner(update, isKnown: false).plan().faults
        #expect(faults.map(\.code) == [.io])
        let why = Fault(folder: "PAIE", .ownership, "not yours")
        let endpoint = try Tree.endpoint()
        let planner = Planner(
            update: update, endpoint: endpoint, states: [:], options: UpdateOptions(only: ["PAIE"]), unread: [why])
        #expect(try planner.plan().faults.filter { $0.folder == "PAIE" } == [why])
    }

    // MARK: Databases

    @Test func `load rows behind the table's files, and need a database`() throws {
        let (lines, faults, steps) = try plan(#"[["installdata","Rates"]]"#)
        #expect(lines == ["directory Data", "file Data/RATES.DBM", "rows Rates", "registry registry.json"])
        #expect(steps[2].rows == RowRule(key: ["code"], preserve: ["own"]))
        #expect(steps[2].source == "A/rows/rates.csv" && steps[2].sha256 == "of rows/rates.csv")
        #expect(faults.map(\.code) == [.database])
        #expect(faults.first?.message.contains("has none") == true)
        #expect(try plan(#"[["installdata","Rates"]]"#, database: "sqlite:app.db").faults.isEmpty)
    }

    @Test func `never write or remove the file of a database`() throws {
        let own = #"{"schema":1,"tables":{"T":{"files":["Data/app.db"]}}}"#
        for jobs in [
            #"[["filedelete","Data/app.db"]]"#, #"[["filecopyto","bin/tool","Data/app.db"]]"#, #"[["deletedata","T"]]"#,
        ] {
            let faults = try plan(jobs, registry: own, database: "sqlite:Data/app.db").faults
            #expect(faults.map(\.code) == [.database], "\(jobs)")
        }
    }

    @Test func `cannot be undone once rows were loaded`() throws {
        let plan = try planner(update(["A": #"[["installdata","Rates"],["installdata","Address"]]"#])).plan()
        #expect(try plan.folder("PAIE").irreversible().map(\.title) == ["rows Rates"])
    }

    @Test func `are a fault in an archive whose check did not read them`() throws {
        let update = try update(["A": #"[["filecopy","bin/tool"]]"#])
        var json = try #require(
            JSONSerialization.jsonObject(with: Data(JSONText.line(update))) as? [String: Any])
        json["descriptions"] = nil
        let old = try JSONText.read(CheckedUpdate.self, JSONSerialization.data(withJSONObject: json))
        #expect(old.descriptions == [])
        let faults = try planner(old).plan().faults
        #expect(faults.map(\.code) == [.script])
        #expect(faults.first?.message.contains("A/jobs.json") == true)
        #expect(faults.first?.message.contains("drop the archive again") == true)
    }

    @Test func `take all files of a pattern but scripts and the two files themselves`() throws {
        let data = #"{"All": {"files": ["**/*.DBM", "**"]}}"#
        let files = try update(["A": #"[["installdata","All"]]"#], data: data).descriptions.first?.data.first?.files
        let wanted = Self.names.filter { !$0.contains("grades/") }
        #expect(files?.sorted() == wanted.sorted())
        #expect(files?.prefix(3) == ["Data/ADDR.DBM", "Data/BOTH.DBM", "Data/RATES.DBM"])
        let refusal = #expect(throws: Refusal.self) {
            try update(["A": nil], data: #"{"None": {"files": ["upgrades/*"]}}"#)
        }
        #expect(refusal?.code == .contentMissing)
    }

    @Test func `survive the way through the state directory`() throws {
        let update = try update(["A": #"[["installdata","Address"],["installform","Both"]]"#])
        let read = try JSONText.read(CheckedUpdate.self, JSONText.line(update))
        #expect(read == update)
        let plan = try planner(update).plan()
        #expect(try JSONText.read(EndpointPlan.self, JSONText.line(plan)) == plan)
        #expect(update.descriptions.first?.data.first?.files == ["Data/ADDR.DBM", "Data/ADDR.IDX"])
    }
}
