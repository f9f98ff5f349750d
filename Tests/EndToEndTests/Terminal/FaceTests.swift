import Foundation
import Support
import Testing

/// What an update says of itself, wherever it is shown.
@Suite struct `An update's face` {
    let host: Installation
    static let head = """
        X3V8_P2 8.0.2
        Update that brings Sage X3 People From version 8.0.1 to 8.0.2
        from 8.0.1 to 8.0.2

        PATCH
        """

    init() throws {
        host = try Installation()
        try ExampleUpdate().pack(to: "\(host.root)/update.zip")
    }

    @Test(arguments: [40, 80, 160]) func `is on the terminal that plan and lint have`(columns: Int) throws {
        for command in ["plan", "lint"] {
            let program = try TerminalProgram(
                host, [command, "\(host.root)/update.zip"], columns: columns, environment: ["TERM": "dumb"])
            #expect(program.end() == 0)
            // The plan behind it is not folded: it names files and statements.
            let face = program.screen.replacing(host.root, with: "").components(separatedBy: "\n\nendpoint")[0]
            TerminalProgram.expect(face, fits: columns)
            try TerminalProgram.expect(face, is: "\(command)-face-\(columns)")
        }
    }

    @Test func `names the folders that get each patch, and the patch that is switched off`() throws {
        let path = "etc/endpoints.d/payroll.yaml"
        try host.write(
            host.read(path).replacing("{name: SEED2, parent: PAIE", with: "{name: SEED2, parent: PAIE, modules: []"),
            path)
        let all = try host.run("patchctl", "plan", "\(host.root)/update.zip").output
        #expect(all.contains("X3V8_P2     8.0.2 mandatory maintenances  yes        yes      all 5\n"), "\(all)")
        #expect(all.contains("PAIE, SEED, SEEDPROD, SEEDPROD2\n"), "\(all)")
        let off = try host.run("patchctl", "plan", "\(host.root)/update.zip", "--patch", "X3V8_P2BIS=off").output
        #expect(off.contains("X3V8_P2BIS  8.0.2 optional maintenances   no         no       none\n"), "\(off)")
    }

    @Test func `is what show, test and approve show, too`() throws {
        try host.configure("payroll", settings: "approval: required\n")
        let daemon = try host.start()
        defer { daemon.terminate() }
        let test = try host.run("patchctl", "test", "\(host.root)/update.zip")
        #expect(test.code == 0 && test.output.hasPrefix(Self.head), "\(test)")
        let submitted = try host.run("patchctl", "submit", "\(host.root)/update.zip", "--wait")
        #expect(try host.run("patchctl", "show", "2").output.contains(Self.head))
        var status = stat()
        let sha256 = try #require(host.job(2)["sha256"] as? String)
        #expect(stat("\(host.root)/state/archives/\(sha256)/contents", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o640, "approvers read it by their group")
        #expect(submitted.code == 6 && submitted.errors.contains("patchctl approve 2"), "\(submitted)")
        let wrong = try host.run("patchctl", "approve", "--endpoint", "payrol")
        #expect(wrong.code == 1 && wrong.errors.contains("did you mean \"payroll\""), "\(wrong)")
        #expect(try host.run("patchctl", "approve").code == 2)
        let approved = try host.run("patchctl", "approve", "--endpoint", "payroll")
        #expect(approved.code == 0 && approved.output.hasPrefix(Self.head), "\(approved)")
        #expect(host.until("done") { (try? host.job(2)["state"] as? String) == "done" })
        #expect(try host.run("patchctl", "show", "2").output.contains(Self.head), "also when it is over")
        let late = try host.run("patchctl", "approve", "2", "--endpoint", "payroll")
        #expect(late.code == 1 && late.errors.contains("no job on payroll waits for approval"), "\(late)")
    }

    @Test func `and its notes are shown of a file as well as of a job`() throws {
        let file = "\(host.root)/update.zip"
        #expect(try host.run("patchctl", "show", file).output.hasPrefix(Self.head))
        let none = try host.run("patchctl", "show", file, "--notes")
        #expect(none.code == 0 && none.output.isEmpty && none.errors.contains("nothing accompanies"), "\(none)")
        var update = ExampleUpdate()
        update.files["README"] = "Close the month first.\n"
        update.files["docs/a.txt"] = "More.\n"
        try update.pack(to: "\(host.root)/notes.zip")
        let notes = try host.run("patchctl", "show", "\(host.root)/notes.zip", "--notes")
        #expect(notes.output.contains("--- README\nClose the month first.\n"), "\(notes)")
        #expect(notes.output.contains("--- docs/a.txt\nMore.\n"), "\(notes)")
        try FileManager.default.moveItem(
            atPath: "\(host.root)/notes.zip", toPath: "\(host.root)/spool/incoming/notes.zip")
        try host.once()
        #expect(try host.run("patchctl", "show", "1", "--notes").output == notes.output)
        let unknown = try host.run("patchctl", "show", "nothing")
        #expect(unknown.code == 1 && unknown.errors.contains("no job and no file \"nothing\""), "\(unknown)")
        try host.write("PK", "bad.zip")
        #expect(try host.run("patchctl", "show", "\(host.root)/bad.zip").code == 4)
    }
}
