import PatchModel
import Testing

struct UpdateCheckTests {
    private let manifest: Manifest

    init() throws {
        manifest = Manifest(
            name: "U", version: try #require(Version("2")), dependency: try #require(Version("1")),
            patches: [
                Patch(name: "A", type: "$ROOT", mandatory: true, path: "A/FIL"),
                Patch(name: "B", type: "HRM", mandatory: false, path: "B"),
            ])
    }

    /// Files of an archive; what ends in a slash is a directory.
    private func check(_ names: [String], _ content: [String: String] = [:]) throws(Refusal) -> CheckedUpdate {
        let entries = (["update.json", "A/FIL/a", "B/b"] + names).map { name in
            name.utf8.last == UInt8(ascii: "/")
                ? ContentEntry(path: String(name.dropLast()), kind: .directory)
                : ContentEntry(path: name, kind: .file, size: 1, sha256: "00")
        }
        return try CheckedUpdate(checking: manifest, entries: entries) { path throws(Refusal) in
            guard let text = content[path] else { throw Refusal(.incomplete, at: path, "was not expected to be read") }
            return Array(text.utf8)
        }
    }

    @Test func `Declared content passes, sorted by bytes, without findings`() throws {
        let update = try check([
            "README", "README.md", "CHANGES-2.txt", "LICENSE", "docs/", "docs/x/y", "A/", "A/FIL/", "A/FIL/b/c",
            "A/FIL/update.lock.d/x",
            "A/FIL/upgrades/", "A/FIL/upgrades/2.sh", "A/FIL/upgrades/1_x.sql", "A/FIL/downgrades/2.sh",
            "A/FIL/x/upgrades/no", "B/upgrades.txt",
        ])
        #expect(update.findings == [])
        #expect(
            update.entries.map { Array($0.path.utf8) }
                == update.entries.map { Array($0.path.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(update.entries.count == 19)
    }

    @Test(arguments: [
        (["x"], RefusalCode.contentUndeclared, "x"), (["A/x"], .contentUndeclared, "A/x"),
        (["A/FILX"], .contentUndeclared, "A/FILX"),
        (["C/"], .contentUndeclared, "C"), (["docs"], .contentUndeclared, "docs"),
        (["readme"], .contentUndeclared, "readme"),
        (["other.json"], .contentUndeclared, "other.json"), (["LICENSES/a"], .contentUndeclared, "LICENSES/a"),
        (["A/FIL/update.lock"], .entryName, "A/FIL/update.lock"), (["B/registry.json"], .entryName, "B/registry.json"),
        (["B/x/.patchd/y"], .entryName, "B/x/.patchd"), (["B/x/.patchd-old"], .entryName, "B/x/.patchd-old"),
        (["B/upgrades/2.0.1.sh"], .manifestInvalid, "B/upgrades/2.0.1.sh"),
        (["A/FIL/upgrades/3_a.sql"], .manifestInvalid, "A/FIL/upgrades/3_a.sql"),
        (["B/downgrades/3.sh"], .manifestInvalid, "B/downgrades/3.sh"),
    ])
    func `One defect is refused at its place`(_ names: [String], _ code: RefusalCode, _ place: String) {
        let refusal = #expect(throws: Refusal.self) { try check(names) }
        #expect(refusal?.code == code, "\(String(describing: refusal))")
        #expect(refusal?.place == place, "\(String(describing: refusal))")
    }

    @Test func `A patch's path has to be there, as a directory`() throws {
        func code(_ entries: [ContentEntry]) -> RefusalCode? {
            let manifest = manifest
            return #expect(throws: Refusal.self) {
                try CheckedUpdate(checking: manifest, entries: entries) { _ throws(Refusal) in [] }
            }?.code
        }
        #expect(code([ContentEntry(path: "A/FIL/a", kind: .file)]) == .contentMissing)
        #expect(
            code([ContentEntry(path: "A/FIL/a", kind: .file), ContentEntry(path: "B", kind: .file)]) == .contentMissing)
        let empty = [ContentEntry(path: "A/FIL", kind: .directory), ContentEntry(path: "B", kind: .directory)]
        _ = try CheckedUpdate(checking: manifest, entries: empty) { _ throws(Refusal) in [] }
    }

    @Test func `Other names in upgrades are ignored with a warning`() throws {
        let update = try check([
            "A/FIL/upgrades/README", "A/FIL/upgrades/2.py", "A/FIL/upgrades/lib/x.sh", "B/downgrades/x",
            "B/upgrades/1.sh",
        ])
        #expect(update.findings.allSatisfy { $0.code == "scriptIgnored" && $0.level == .warning })
        #expect(
            Set(update.findings.map(\.place))
                == ["A/FIL/upgrades/README", "A/FIL/upgrades/2.py", "A/FIL/upgrades/lib", "B/downgrades/x"])
    }

    @Test func `Scripts with misspelt names get a warning each`() throws {
        let names = ["V8.0.2__x.sql", "2.SQL", "2/1.sql"].map { "A/FIL/upgrades/\($0)" }
        let findings = try check(names).findings
        #expect(findings.map(\.code) == ["scriptIgnored", "scriptIgnored", "scriptIgnored"])
        #expect(
            Set(findings.map(\.place))
                == ["A/FIL/upgrades/V8.0.2__x.sql", "A/FIL/upgrades/2.SQL", "A/FIL/upgrades/2"])
    }

    @Test func `A script that would run and has no way back gets a warning`() throws {
        let update = try check([
            "A/FIL/upgrades/2.sql", "A/FIL/upgrades/1.5.sh", "A/FIL/upgrades/1.sh", "A/FIL/downgrades/1.5_x.sql",
        ])
        #expect(update.findings.map(\.code) == ["noDowngrade"])
        #expect(update.findings.map(\.place) == ["A/FIL/upgrades/2.sql"])
    }

    @Test func `Migrations pass with their ways back, a file of that name is content`() throws {
        let names = ["A/FIL/migrations/", "A/FIL/migrations/0042_x.up.sql", "A/FIL/migrations/0042_x.down.sql"]
        #expect(try check(names + ["B/migrations/0042_x.sql", "B/migrations/0042_x.down.sql"]).findings == [])
        #expect(try check(["B/migrations", "B/conf/migrations/x"]).findings == [])
    }

    @Test(arguments: [
        ["B/migrations/x.sql"], ["B/migrations/V_1.sql"], ["B/migrations/x.down.sql"], ["B/migrations/R__x.sql"],
        ["B/migrations/1\(String(repeating: "x", count: 200)).sql"],
        ["B/migrations/1_x.sql", "B/migrations/1_x.up.sql"],
    ])
    func `A migration without a number, with too long a name or in two files is refused`(_ names: [String]) {
        let refusal = #expect(throws: Refusal.self) { try check(names) }
        #expect(refusal?.code == .manifestInvalid && refusal?.place.hasPrefix("B/migrations/") == true)
    }

    @Test func `Two patches of one type cannot have a migration of one name, of two types they can`() throws {
        var same = manifest
        same.patches[1].type = "$ROOT"
        let entries = ["A/FIL/migrations/1_x.sql", "B/migrations/1_x.sql"].map {
            ContentEntry(path: $0, kind: .file, size: 1, sha256: "00")
        }
        let refusal = #expect(throws: Refusal.self) {
            try CheckedUpdate(checking: same, entries: entries) { _ throws(Refusal) in [] }
        }
        #expect(refusal?.code == .manifestInvalid && refusal?.reason.contains("A/FIL/migrations/1_x.sql") == true)
        #expect(throws: Never.self) {
            try CheckedUpdate(checking: manifest, entries: entries) { _ throws(Refusal) in [] }
        }
    }

    @Test func `What is odd about migrations gets a warning`() throws {
        let update = try check([
            "B/migrations/7_a.sql", "B/migrations/007_b.sql", "B/migrations/8_c.down.sql", "B/migrations/9/x.sql",
            "B/migrations/10_x.sh",
        ])
        #expect(update.findings.allSatisfy { $0.level == .warning })
        #expect(
            update.findings.map { "\($0.code) \($0.place)" } == [
                "scriptIgnored B/migrations/10_x.sh", "scriptIgnored B/migrations/9", "sql B/migrations/7_a.sql",
                "scriptIgnored B/migrations/8_c.down.sql", "noDowngrade B/migrations",
            ])
    }

    /// The patch has `b`, `d/x` and what the rows say.
    @Test(
        arguments: [
            ([], "", ["gone", "d/gone", "upgrades/1.sh", "bb", "x-jobs.json"], nil),
            ([], "", ["gone", "b"], "update.json: patches[1].delete[1]"),
            ([], "", ["d"], "update.json: patches[1].delete[0]"),
            ([], "", ["d/x"], "update.json: patches[1].delete[0]"),
            ([], "", ["b/below"], "update.json: patches[1].delete[0]"),
            (["B/jobs.json"], #"[["filecopyto","b","c/d"],["filedelete","gone"]]"#, ["gone", "b", "d"], nil),
            (["B/jobs.json"], #"[["filecopyto","b","c/d"]]"#, ["c"], "update.json: patches[1].delete[0]"),
            (["B/jobs.json"], #"[["filecopyto","b","c/d"]]"#, ["c/d"], "update.json: patches[1].delete[0]"),
            (["B/jobs.json"], #"[["filecopy","x"]]"#, ["d/x"], "update.json: patches[1].delete[0]"),
            (["B/jobs.json"], #"[["installform","F","b"]]"#, ["b"], "update.json: patches[1].delete[0]"),
        ] as [([String], String, [String], String?)])
    func `A patch does not delete what it brings`(
        _ names: [String], _ jobs: String, _ delete: [String], _ place: String?
    ) throws {
        var manifest = manifest
        manifest.patches[1].delete = delete
        let entries = (["A/FIL/a", "B/b", "B/d/x"] + names).map {
            ContentEntry(path: $0, kind: .file, size: 1, sha256: "00")
        }
        func run() throws(Refusal) {
            _ = try CheckedUpdate(checking: manifest, entries: entries) { _ throws(Refusal) in Array(jobs.utf8) }
        }
        guard let place else { return try run() }
        let refusal = #expect(throws: Refusal.self) { try run() }
        #expect(refusal?.code == .manifestInvalid && refusal?.place == place, "\(String(describing: refusal))")
    }

    @Test(arguments: [
        ["B/x", "B/X"], ["B/é", "B/e\u{301}"], ["B/ß", "B/SS"], ["B/Dir/a", "B/dir/b"], ["B/É", "B/e\u{301}"],
    ])
    func `Names that some systems cannot tell apart get a warning`(_ names: [String]) throws {
        let update = try check(names)
        #expect(update.findings.map(\.code) == ["nameCollision"])
        #expect(update.entries.count == 5)
    }

    /// A file of the patch B, and the code of its refusal.
    static let documents: [(name: String, text: String, code: RefusalCode?)] = [
        ("jobs.json", "[]", nil),
        ("jobs.json", #"[["filecopy","b"],["filecopyto","b","c/d"],["fileupload","b"],["filedelete","gone"]]"#, nil),
        ("jobs.json", #"[["replaceform","F","b"],["deletedata","T"]]"#, nil),
        ("jobs.json", #"[["installdata","T"]]"#, .manifestInvalid),
        ("jobs.json", #"[["installform","F"]]"#, .manifestInvalid),
        ("jobs.json", "", .manifestInvalid), ("jobs.json", "{}", .manifestInvalid),
        ("jobs.json", "[[]]", .manifestInvalid),
        ("jobs.json", #"["filecopy"]"#, .manifestInvalid), ("jobs.json", #"[["filecpy","b"]]"#, .manifestInvalid),
        ("jobs.json", #"[["filecopy"]]"#, .manifestInvalid),
        ("jobs.json", #"[["filecopy","b","c"]]"#, .manifestInvalid),
        ("jobs.json", #"[["filecopyto","b"]]"#, .manifestInvalid),
        ("jobs.json", #"[["filecopy",1]]"#, .manifestInvalid),
        ("jobs.json", #"[["filecopy","../b"]]"#, .manifestInvalid),
        ("jobs.json", #"[["filedelete","/etc/passwd"]]"#, .manifestInvalid),
        ("jobs.json", #"[["filedelete","update.lock"]]"#, .manifestInvalid),
        ("jobs.json", #"[["filecopyto","b",".patchd/x"]]"#, .manifestInvalid),
        ("jobs.json", #"[["filecopyto","b","c\\d"]]"#, .manifestInvalid),
        ("jobs.json", #"[["filecopy","c"]]"#, .contentMissing),
        ("jobs.json", #"[["installform","F","c"]]"#, .contentMissing),
        ("jobs.json", #"[["filecopy","d"]]"#, .contentMissing),
        ("datafiles.json", "{}", nil),
        (
            "datafiles.json",
            #"{"T":{"files":["b","d/*"],"record":{"a":1},"rows":"b","key":["k"],"preserve":["p"],"x-y":1}}"#, nil
        ),
        ("datafiles.json", #"{"F":{"formdata":{"file":"c"}}}"#, .contentMissing),
        ("datafiles.json", #"{"F":{"formdata":{"file":"../c"}}}"#, .manifestInvalid),
        ("datafiles.json", #"{"F":{"formdata":{}}}"#, nil), ("datafiles.json", "[]", .manifestInvalid),
        ("datafiles.json", #"{"T":[]}"#, .manifestInvalid),
        ("datafiles.json", #"{"T":{"file":["b"]}}"#, .manifestInvalid),
        ("datafiles.json", #"{"T":{"files":"b"}}"#, .manifestInvalid),
        ("datafiles.json", #"{"T":{},"T":{}}"#, .manifestInvalid),
        ("datafiles.json", #"{"T":{"record":1}}"#, .manifestInvalid),
        ("datafiles.json", #"{"T":{"rows":["b"]}}"#, .manifestInvalid),
        ("datafiles.json", #"{"T":{"files":["../b"]}}"#, .manifestInvalid),
        ("datafiles.json", #"{"T":{"rows":"c"}}"#, .contentMissing),
        ("datafiles.json", #"{"T":{"files":["c"]}}"#, .contentMissing),
        ("datafiles.json", #"{"T":{"files":["c*"]}}"#, .contentMissing),
    ]

    @Test(arguments: documents)
    func `Commands and data are read strictly`(_ name: String, _ text: String, _ code: RefusalCode?) throws {
        func run() throws(Refusal) { _ = try check(["B/\(name)", "B/d/x"], ["B/\(name)": text]) }
        guard let code else { return try run() }
        let refusal = #expect(throws: Refusal.self) { try run() }
        #expect(refusal?.code == code, "\(String(describing: refusal))")
        #expect(refusal?.place.hasPrefix("B/\(name)") == true, "\(String(describing: refusal))")
    }

    @Test func `A file that is named without its path is found where only one in the patch has its name`() throws {
        let jobs = #"[["filecopy","x"],["filecopyto","x","t"],["fileupload","x"],["installform","F","x"]]"#
        let data = #"{"T":{"files":["x"],"rows":"x"},"G":{"formdata":{"file":"x"}}}"#
        let update = try check(
            ["B/jobs.json", "B/datafiles.json", "B/d/x", "B/upgrades/x"],
            ["B/jobs.json": jobs, "B/datafiles.json": data])
        let description = try #require(update.descriptions.first { $0.patch == "B" })
        #expect(
            description.commands?.map(\.arguments) == [["d/x"], ["d/x", "t"], ["d/x"], ["F", "d/x"]],
            "a plain copy goes to where it lies in the patch")
        #expect(description.data.map(\.files) == [["d/x"], []] && description.data.first?.rows == "d/x")
        #expect(description.data.last?.formFile == "d/x")
        let refusal = #expect(throws: Refusal.self) {
            try check(["B/jobs.json", "B/d/x", "B/e/x"], ["B/jobs.json": jobs])
        }
        #expect(refusal?.code == .contentMissing)
        #expect(refusal?.reason.contains("\"d/x\", \"e/x\"") == true)
    }

    @Test func `A file too long to be read is refused unread`() {
        let entries = [
            ContentEntry(path: "A/FIL/jobs.json", kind: .file, size: 2 << 20), ContentEntry(path: "B/b", kind: .file),
        ]
        let manifest = manifest
        let refusal = #expect(throws: Refusal.self) {
            try CheckedUpdate(checking: manifest, entries: entries) { _ throws(Refusal) in [] }
        }
        #expect(refusal?.code == .limitExceeded)
    }
}
