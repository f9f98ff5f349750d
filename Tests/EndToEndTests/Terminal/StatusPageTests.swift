import Foundation
import Support
import Testing

/// The texts name root, whose hold it is.
@Suite(.enabled(if: geteuid() == 0, "a hold names its user")) struct `status as a list of what is to be done` {
    let host: Installation

    /// SEEDPROD's script fails, so SEEDPROD2 stays behind; SEED is held, SEED2 excluded, and another update waits for the hold.
    init() throws {
        host = try Installation()
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = """
            #!/bin/sh
            if [ "$PATCHD_FOLDER" = SEEDPROD ]; then echo "the table PAYSLIP is locked by user MEIER" >&2; exit 1; fi

            """
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        try host.write(#"{"exclude":["SEED2"]}"#, "spool/incoming/update.zip.json")
        #expect(try host.once().code == 1)
        try host.write("payslips are printed\nuntil: 2099-01-01T20:28:00Z\n", "spool/holds/payroll.SEED.lock")
        var next = ExampleUpdate(version: "8.0.3", dependency: "8.0.2")
        next.files["X3V8_P2/FILPATCH/upgrades/8.0.3.sh"] = "true\n"
        try next.pack(to: "\(host.root)/spool/incoming/next.zip")
        try host.write(#"{"only":["SEED"]}"#, "spool/incoming/next.zip.json")
        try host.once()
    }

    @Test(arguments: [20, 40, 80, 160]) func `fits the terminal`(columns: Int) throws {
        let program = try TerminalProgram(host, ["status"], columns: columns, environment: ["TERM": "dumb"])
        #expect(program.end() == 0)
        TerminalProgram.expect(program.screen, fits: columns)
        try TerminalProgram.expect(program.screen, is: "status-\(columns)")
        #expect(!program.raw.contains("\u{1B}"), "a dumb terminal")
    }

    @Test func `is not folded where a terminal does not know its size, nor in a pipe`() throws {
        let program = try TerminalProgram(host, ["status"], columns: 0, environment: ["TERM": "dumb"])
        #expect(program.end() == 0)
        let outcome = try host.run("patchctl", "status", environment: ["TZ": "UTC"])
        #expect(TerminalProgram.plain(program.screen) == TerminalProgram.plain(outcome.output))
        #expect(outcome.output.contains("next: patchctl catchup payroll/SEED2\n"), "\(outcome.output)")
    }

    @Test func `says reason, time, next command and holds in each width`() throws {
        for columns in [20, 40, 80, 160] {
            let program = try TerminalProgram(host, ["status"], columns: columns)
            #expect(program.end() == 0)
            let words = TerminalProgram.screen(after: program.raw).split { $0.isWhitespace || "│".contains($0) }
                .joined(separator: " ")
            for text in columns == 20
                ? ["PAYSLIP", "MEIER"]
                : [
                    "the table PAYSLIP is locked by user MEIER", "patchctl resume 1", "patchctl catchup payroll/SEED2",
                    "held: payroll/SEED by root until 2099-01-01 20:28 UTC (\"payslips are printed\");",
                ]
            {
                #expect(words.contains(text), "\(text) at \(columns) in\n\(words)")
            }
            #expect(program.raw.contains("\u{1B}[31m"), "what failed is red")
        }
    }

    @Test(arguments: [40, 80, 160]) func `of jobs and updates fits, too`(columns: Int) throws {
        for (arguments, name) in [
            (["jobs"], "jobs"), (["history", "SEED"], "history"), (["status", "--matrix"], "matrix"),
        ] {
            let program = try TerminalProgram(host, arguments, columns: columns, environment: ["TERM": "dumb"])
            #expect(program.end() == 0)
            TerminalProgram.expect(program.screen, fits: columns)
            try TerminalProgram.expect(program.screen, is: "\(name)-\(columns)")
        }
    }

    @Test func `ends quietly where nobody reads, and says who may where the state cannot be read`() throws {
        let words = ([host.program("patchctl")] + host.placed(["status"])).joined(separator: " ")
        let closed = try Installation.run("/bin/bash", ["-c", "\(words) | true; exit ${PIPESTATUS[1]}"])
        #expect(closed.code == 0 && closed.errors.isEmpty, "\(closed)")
        #expect(chmod("\(host.root)/state", 0o700) == 0)
        let stranger = try Installation.run(
            "/usr/bin/setpriv",
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", host.program("patchctl")]
                + host.placed(["status"]))
        #expect(stranger.code == 1 && stranger.errors.contains("adduser nobody patchd"), "\(stranger)")
    }

    @Test func `names approvals, closed windows and a refused configuration, each with the next command`() throws {
        let other = try Installation(settings: "approval: required\n")
        try ExampleUpdate().pack(to: "\(other.root)/spool/incoming/update.zip")
        #expect(try other.once().code == 6)
        let approval = try other.run("patchctl", "status", environment: ["TZ": "UTC"]).output
        #expect(
            approval.contains("approval: job 1, apply of X3V8_P2 8.0.2 on payroll, since ")
                && approval.contains("\n  next: patchctl show 1, then: patchctl approve 1\n"), "\(approval)")
        // No window is open for longer than a minute of the week, two days from now.
        let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        let today = Calendar(identifier: .gregorian).component(.weekday, from: Date())
        let day = days[today % 7]
        try other.configure("payroll", settings: "windows: [\"\(day) 12:00-12:01\"]\n")
        #expect(try other.once().code == 5)
        let window = try other.run("patchctl", "status").output
        #expect(
            window.contains("waiting: job 1,")
                && window.contains("waits for the window \(day) 12:00-12:01, which opens"),
            "\(window)")
        try other.configure("payroll", settings: "grce: 1s\n")
        let refused = try other.run("patchctl", "status").output
        #expect(
            refused.contains("\nrefused: the configuration in ")
                && refused.contains("\n  next: patchctl config check\n"),
            "\(refused)")
    }

    @Test func `gives a folder that was never updated no date`() throws {
        let fresh = try Installation()
        try fresh.once()
        let text = try fresh.run("patchctl", "status", environment: ["TZ": "UTC"]).output
        #expect(text.contains("SEED") && !text.contains("since") && !text.contains(" UTC"), "\(text)")
        let updated = try host.run("patchctl", "status", environment: ["TZ": "UTC"]).output
        let row = updated.split(separator: "\n").first { $0.hasPrefix("├─ SEED ") }
        #expect(row?.contains("since") == true, "\(updated)")
    }
}
