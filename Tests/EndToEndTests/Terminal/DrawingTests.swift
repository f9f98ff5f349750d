import Foundation
import Support
import Testing

@Suite struct `watch and --wait on a terminal` {
    let host: Installation

    init() throws {
        host = try Installation(settings: "grace: 20s\n")
        // Siblings that wait must not keep each other from their turn, however few processors there are.
        try host.write("workers: 8\n", "etc/patchd.yaml")
    }

    /// A script that waits in a folder until `go-FOLDER` is there.
    private func pack(to path: String, failing folder: String = "none") throws {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = """
            #!/bin/sh
            until [ -e \(host.root)/go-$PATCHD_FOLDER ] || [ -e \(host.root)/go ]; do sleep 0.05; done
            if [ $PATCHD_FOLDER = \(folder) ]; then echo "no room in tablespace USERS" >&2; exit 3; fi

            """
        try update.pack(to: path)
    }

    private func state(_ folder: String) -> String? {
        let folders = try? host.job(1)["folders"] as? [String: [String: Any]]
        return folders?[folder]?["state"] as? String
    }

    @Test(arguments: [40, 80, 160]) func `draw a tree with bar, step and what is waited for`(columns: Int) throws {
        let daemon = try host.start()
        defer { daemon.terminate() }
        try pack(to: "\(host.root)/update.zip")
        let program = try TerminalProgram(host, ["submit", "\(host.root)/update.zip", "--wait"], columns: columns)
        try host.write("", "go-PAIE")
        try host.write("", "go-SEED2")
        #expect(
            host.until("SEEDPROD runs its script") {
                let screen = program.screen
                return state("SEED2") == "done" && screen.contains("has 8.0.2") && !screen.contains("SEED2  running")
                    && screen.components(separatedBy: "8.0.2.sh").count == 3
                    && screen.components(separatedBy: "has 8.0.2").count == 3
            }, "\(program.screen)")
        let running = program.screen
        TerminalProgram.expect(running, fits: columns)
        try TerminalProgram.expect(running, is: "watch-running-\(columns)")
        #expect(
            !running.split(separator: "\n").contains { $0.contains("8.0.2.sh") && $0.contains("##]") }, "no full bar")
        try host.write("", "go")
        #expect(program.end() == 0, "\(program.screen)")
        try TerminalProgram.expect(program.screen, is: "watch-done-\(columns)")
        #expect(program.raw.contains("\u{1B}["))
    }

    @Test func `show no full bar before the commit, and what a folder waits for in words`() throws {
        try host.once()
        let text = "in use by psql (session 7, user app, since 2026-11-21T10:15:00.123Z)"
        try host.prepare(
            job: 1, "running",
            [
                "folders": [
                    "PAIE": [
                        "state": "running", "code": "", "message": "", "equal": 0,
                        "progress": ["done": 7, "total": 7, "step": "script 8.0.2.sh"],
                    ],
                    "SEED": [
                        "state": "running", "code": "", "message": text, "equal": 0,
                        "progress": ["done": 3, "total": 6, "step": "script 8.0.2.sh"],
                    ],
                ]
            ])
        let program = try TerminalProgram(host, ["watch", "1"], columns: 120)
        #expect(host.until("drawn") { program.screen.contains("SEED") }, "\(program.screen)")
        #expect(program.screen.contains("PAIE  [###################.] 7/7  commits"), "\(program.screen)")
        #expect(program.screen.contains("SEED  [##########..........] 3/6  in use by psql (session 7,"))
        #expect(program.screen.contains("2026-11-21 10:15 UTC)"), "times are local: \(program.screen)")
    }

    @Test func `quote the script's last line where it fails, and name the command that goes on`() throws {
        let daemon = try host.start()
        defer { daemon.terminate() }
        try pack(to: "\(host.root)/update.zip", failing: "SEEDPROD")
        try host.write("", "go")
        let program = try TerminalProgram(host, ["submit", "\(host.root)/update.zip", "--wait"], columns: 160)
        #expect(program.end() == 1)
        let screen = program.screen
        #expect(screen.contains("no room in tablespace USERS") && screen.contains("patchctl resume 1"), "\(screen)")
        try TerminalProgram.expect(screen, is: "watch-failed-160")
    }

    @Test(arguments: [["NO_COLOR": "1"], ["TERM": "dumb"]])
    func `write plain lines where nothing may be drawn`(environment: [String: String]) throws {
        let daemon = try host.start()
        defer { daemon.terminate() }
        try pack(to: "\(host.root)/update.zip")
        try host.write("", "go")
        let words = ([host.program("patchctl")] + host.placed(["submit", "\(host.root)/update.zip", "--wait"])).joined(
            separator: " ")
        let program = try RunningProgram(
            "/usr/bin/script", ["-qec", "stty cols 80; \(words)", "/dev/null"],
            environment: ["TERM": "xterm"].merging(environment) { $1 })
        #expect(program.end() == 0)
        #expect(!program.output.contains("\u{1B}"), "\(program.output.debugDescription)")
        #expect(program.output.contains("job 1: SEEDPROD2 done"))
    }

    @Test func `name who is still inside, and until when he may stay`() throws {
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("known") { host.exists("state/endpoints/payroll/SEED.json") })
        let inside = try RunningProgram(
            host.program("patchctl"),
            host.placed([
                "guard", "payroll/SEED", "--", "sh", "-c",
                "trap '' TERM; echo in; until [ -e \(host.root)/out ]; do sleep 0.1; done",
            ]))
        #expect(host.until("inside") { inside.output == "in\n" })
        try pack(to: "\(host.root)/update.zip")
        try host.write("", "go")
        let program = try TerminalProgram(host, ["submit", "\(host.root)/update.zip", "--wait"], columns: 80)
        #expect(
            host.until("told") {
                program.screen.contains("applications have to leave until ")
                    && program.screen.contains("still inside: ")
                    && program.screen.contains("(pid ") && program.screen.contains(" s left")
            }, "\(program.screen)")
        try host.write("", "out")
        #expect(program.end() == 0, "\(program.screen)")
    }

    @Test func `say that the daemon went away, and go on when one is back`() throws {
        let daemon = try host.start()
        try pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(host.until("PAIE runs") { state("PAIE") == "running" })
        let program = try TerminalProgram(host, ["watch", "1"], columns: 80)
        #expect(host.until("drawn") { program.screen.contains("PAIE") })
        kill(daemon.processIdentifier, SIGKILL)
        daemon.waitUntilExit()
        #expect(
            host.until("told") { program.screen.contains("no daemon runs; the job continues") }, "\(program.screen)")
        let other = try host.start()
        defer { other.terminate() }
        #expect(host.until("told") { !program.screen.contains("no daemon runs") }, "\(program.screen)")
        try host.write("", "go")
        #expect(program.end() == 0, "\(program.screen)")
    }

    @Test func `show those of a hundred folders that matter`() throws {
        let names = (1...100).map { "F\($0)" }
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        let folders = names.map { "  - {name: \($0), parent: TOP}\n" }.joined()
        for name in names + ["TOP"] {
            try FileManager.default.createDirectory(
                atPath: "\(host.root)/srv/\(name)", withIntermediateDirectories: true)
        }
        try host.write(
            "endpoint: payroll\npath: \(host.root)/srv\n\(owner)folders:\n  - {name: TOP, version: 8.0.1}\n\(folders)",
            "etc/endpoints.d/payroll.yaml")
        let daemon = try host.start()
        defer { daemon.terminate() }
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = """
            #!/bin/sh
            [ $PATCHD_FOLDER != F70 ] || { echo "broken" >&2; exit 1; }
            if [ $PATCHD_FOLDER = F71 ]; then until [ -e \(host.root)/go ]; do sleep 0.05; done; fi

            """
        try update.pack(to: "\(host.root)/update.zip")
        let program = try TerminalProgram(
            host, ["submit", "\(host.root)/update.zip", "--wait"], columns: 80, rows: 12)
        #expect(
            host.until("nearly done") {
                program.screen.contains("F70") && program.screen.contains("F71") && program.screen.contains("more: ")
                    && program.screen.split(separator: "\n").contains { $0.hasPrefix("F70 ") && $0.contains("failed") }
            }, "\(program.screen)")
        let lines = program.screen.split(separator: "\n")
        #expect(lines.count <= 13, "\(program.screen)")
        #expect(lines.contains { $0.hasPrefix("F70") && $0.contains("failed") }, "\(program.screen)")
        try host.write("", "go")
        #expect(program.end() == 1)
    }
}
