import Foundation
import Support
import Testing

/// `patchctl pack --from`: what brings folders from one state to another.
@Suite struct `The difference of two updates or trees` {
    let host: Installation

    init() throws { host = try Installation() }

    private static let tree = ["--name", "PLAIN", "--version", "8.0.2", "--dependency", "8.0.1"]

    /// Packs `new`, or what is named, into `out.zip`.
    private func pack(_ directory: String = "new", from old: String, _ more: [String] = tree) throws
        -> Installation.Outcome
    {
        try Installation.run(
            host.program("patchctl"), host.placed(["pack", directory, "--from", old, "-o", "out.zip"] + more),
            in: host.root)
    }

    private func names() throws -> [String] {
        try Installation.run("/usr/bin/bsdtar", ["-tf", "\(host.root)/out.zip"]).output
            .split(separator: "\n").map(String.init).sorted()
    }

    private func text(_ name: String) throws -> String {
        try Installation.run("/usr/bin/bsdtar", ["-xOf", "\(host.root)/out.zip", name]).output
    }

    private func apply() throws -> Int32 {
        try FileManager.default.copyItem(
            atPath: "\(host.root)/out.zip", toPath: "\(host.root)/spool/incoming/out.zip")
        return try host.once().code
    }

    /// What a tree has, but for what is patchd's own.
    private func content(_ directory: String) throws -> [String: String] {
        let all = try #require(FileManager.default.enumerator(atPath: "\(host.root)/\(directory)"))
        var content: [String: String] = [:]
        for case let path as String in all where !path.hasPrefix(".patchd") && path != "registry.json" {
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(host.root)/\(directory)/\(path)", isDirectory: &isDirectory)
            if !isDirectory.boolValue { content[path] = try host.read("\(directory)/\(path)") }
        }
        return content
    }

    @Test func `of plain trees has what was added and changed, and deletes what is gone`() throws {
        for folder in host.folders + ["../old"] {
            for (path, text) in [
                ("lib/a.dat", "old\n"), ("lib/same.dat", "same\n"), ("lib/gone.dat", "x\n"), ("lib/mode", "x\n"),
                ("becomes/directory", "x\n"), ("becomes-file/x", "x\n"), ("deep/gone/too", "x\n"),
            ] { try host.write(text, "srv/\(folder)/\(path)") }
        }
        for (path, text) in [
            ("lib/a.dat", "new\n"), ("lib/same.dat", "same\n"), ("lib/mode", "x\n"), ("lib/added", "x\n"),
            ("becomes/directory/x", "x\n"), ("becomes-file-2", "x\n"),
        ] { try host.write(text, "new/\(path)") }
        chmod("\(host.root)/new/lib/mode", 0o755)
        let packed = try pack(from: "old")
        #expect(packed.code == 0, "\(packed)")
        #expect(
            try text("update.json").contains(#""delete":["becomes-file/x","deep/gone/too","lib/gone.dat"]"#))
        #expect(
            try names().filter { !$0.hasSuffix("/") } == [
                "PLAIN/becomes-file-2", "PLAIN/becomes/directory/x", "PLAIN/lib/a.dat", "PLAIN/lib/added",
                "PLAIN/lib/mode", "update.json",
            ])
        #expect(try apply() == 0)
        #expect(try content("srv/SEED") == content("new"))
        #expect(try host.run("patchctl", "verify").code == 0)
    }

    @Test func `of a tree with itself is an update that brings nothing`() throws {
        try host.write("x\n", "new/lib/a.dat")
        let packed = try pack(from: "new")
        #expect(packed.code == 0, "\(packed)")
        #expect(try names() == ["PLAIN/", "update.json"])
        #expect(try host.run("patchctl", "lint", "\(host.root)/out.zip").code == 0)
    }

    @Test func `of folders brings tables and forms by commands, and the registries follow`() throws {
        let old = #"""
            {"schema":1,"tables":{"Address":{"files":["Data/ADDR.DBM"],"record":{"n":1.50},"deleted":false},
             "Gone":{"files":["Data/GONE.DBM"],"record":{},"deleted":false},
             "Same":{"files":["Data/SAME.DBM"],"record":{},"deleted":false}},
             "forms":{"Address":{"files":["Forms/a.frm"],"record":{"title":"A"},"deleted":false}}}
            """#
        let new = #"""
            {"schema":1,"tables":{"Address":{"files":["Data/ADDR.DBM","Data/ADDR.IDX"],"record":{"n":1.50},"deleted":false},
             "Gone":{"files":[],"record":{},"deleted":true},
             "Same":{"files":["Data/SAME.DBM"],"record":{},"deleted":false}},
             "forms":{"Address":{"files":["Forms/b.frm"],"record":{"title":"B"},"deleted":false}}}
            """#
        for place in host.folders.map({ "srv/\($0)" }) + ["old"] {
            for name in ["Data/ADDR.DBM", "Data/GONE.DBM", "Data/SAME.DBM", "Forms/a.frm", "lib/a.dat"] {
                try host.write("old \(name)\n", "\(place)/\(name)")
            }
            try host.write(old, "\(place)/registry.json")
        }
        for name in ["Data/ADDR.DBM", "Data/SAME.DBM"] { try host.write("old \(name)\n", "new/\(name)") }
        for name in ["Data/ADDR.IDX", "Forms/b.frm", "lib/a.dat"] { try host.write("new \(name)\n", "new/\(name)") }
        try host.write(new, "new/registry.json")
        try host.write("not packed\n", "new/.patchd/marker.json")
        let packed = try pack(from: "old")
        #expect(packed.code == 0, "\(packed)")
        #expect(
            try text("PLAIN/jobs.json")
                == #"[["filecopy","lib/a.dat"],["installorreplacedata","Address"],["installorreplaceform","Address","Forms/b.frm"],["deletedata","Gone"]]"#
        )
        #expect(!(try names().contains("PLAIN/Data/SAME.DBM")))
        #expect(try apply() == 0)
        #expect(try content("srv/SEED") == content("new"))
        let registry = try host.json("srv/SEED/registry.json")
        let tables = try #require(registry["tables"] as? [String: [String: Any]])
        #expect(tables["Gone"]?["deleted"] as? Bool == true)
        #expect(tables["Address"]?["files"] as? [String] == ["Data/ADDR.DBM", "Data/ADDR.IDX"])
        let forms = try #require(registry["forms"] as? [String: [String: Any]])
        #expect((forms["Address"]?["record"] as? [String: Any])?["title"] as? String == "B")
        #expect(forms["Address"]?["files"] as? [String] == ["Forms/b.frm"])
        #expect(try host.read("srv/SEED/registry.json").contains("1.50"))
    }

    /// The example's first patch is mandatory and copies, the second is optional.
    @Test func `of archives leaves out what every folder must have by then, and nothing of optional patches`() throws {
        var old = ExampleUpdate(version: "8.0.1", dependency: "8.0.0")
        old.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = nil
        old.files["X3V8_P2/FILPATCH/gone.dat"] = "gone\n"
        old.files["X3V8_P2BIS/FILPATCH/moved.dat"] = "x\n"
        try old.pack(to: "\(host.root)/old.zip")
        var new = ExampleUpdate()
        new.files["X3V8_P2/FILPATCH/top.dat"] = "new top\n"
        new.files["X3V8_P2/FILPATCH/moved.dat"] = "x\n"
        new.delete = ["own"]
        try new.pack(to: "\(host.root)/new.zip")
        let packed = try pack("new.zip", from: "old.zip", [])
        #expect(packed.code == 0, "\(packed)")
        #expect(try text("update.json").contains(#""delete":["own","gone.dat"]"#))
        #expect(
            try names().filter { !$0.hasSuffix("/") } == [
                "X3V8_P2/FILPATCH/moved.dat", "X3V8_P2/FILPATCH/top.dat", "X3V8_P2/FILPATCH/upgrades/8.0.2.sh",
                "X3V8_P2BIS/FILPATCH/bis.dat", "update.json",
            ])
        // A folder may come from before the older update.
        new.dependency = "8.0.0"
        try FileManager.default.removeItem(atPath: "\(host.root)/new.zip")
        try new.pack(to: "\(host.root)/new.zip")
        #expect(try pack("new.zip", from: "old.zip", []).code == 0)
        #expect(try names().contains("X3V8_P2/FILPATCH/lib/a.dat"))
        #expect(try pack("old.zip", from: "new.zip", Self.tree).code != 0, "a plain tree is a directory")
    }

    @Test func `says what only the vendor can: a table that comes no more, a patch that is gone`() throws {
        var old = ExampleUpdate(version: "8.0.1", dependency: "8.0.0")
        old.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = nil
        old.files["X3V8_P2/FILPATCH/jobs.json"] = #"[["installdata","T"],["filecopyto","top.dat","bin/top"]]"#
        old.files["X3V8_P2/FILPATCH/datafiles.json"] = #"{"T":{"files":["lib/a.dat"]}}"#
        try old.pack(to: "\(host.root)/old.zip")
        var new = ExampleUpdate()
        new.files["X3V8_P2/FILPATCH/lib/a.dat"] = nil
        try new.pack(to: "\(host.root)/new.zip")
        let packed = try pack("new.zip", from: "old.zip", [])
        #expect(packed.code == 0 && packed.errors.contains("table or form T of X3V8_P2"), "\(packed)")
        #expect(try text("update.json").contains(#""delete":["bin/top","lib/a.dat"]"#))
        #expect(try names().contains("X3V8_P2/FILPATCH/top.dat"), "what commands copied elsewhere is not here")
    }
}
