import Foundation
import Support
import Testing

@Suite struct `patchctl watch` {
    let host: Installation

    init() throws { host = try Installation() }

    /// A daemon with a job that waits in PAIE until `go` is there.
    private func begin() throws -> Process {
        let daemon = try host.start()
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "until [ -e \(host.root)/go ]; do sleep 0.05; done; test ! -e \(host.root)/broken\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(host.until("PAIE runs") { (try? state("PAIE")) == "running" })
        return daemon
    }

    private func state(_ folder: String) throws -> String? {
        let folders = try host.job(1)["folders"] as? [String: [String: Any]]
        return folders?[folder]?["state"] as? String
    }

    @Test func `tells each change in a line where there is no terminal, and ends with the job`() throws {
        let daemon = try begin()
        defer { daemon.terminate() }
        let watching = try RunningProgram(host.program("patchctl"), host.placed(["watch", "1"]))
        let all = try RunningProgram(host.program("patchctl"), host.placed(["watch"]))
        #expect(host.until("told") { watching.output.contains("job 1: PAIE running") })
        #expect(host.until("told") { all.output.contains("job 1 on payroll: X3V8_P2 8.0.2 running") })
        #expect(!watching.output.contains("SEED done"))
        try host.write("", "go")
        #expect(watching.end() == 0, "\(watching.errors)")
        #expect(
            watching.output.contains("job 1: SEEDPROD2 done\n") && watching.output.hasSuffix("job 1 on payroll: done\n")
        )
        #expect(!watching.output.contains("\u{1B}"))
        #expect(host.until("told") { all.output.contains("8.0.2 done") })
        #expect(all.isRunning, "other jobs may follow")
    }

    @Test func `ends by itself where the job is over, with its code`() throws {
        try host.write("", "broken")
        let daemon = try begin()
        defer { daemon.terminate() }
        let watching = try RunningProgram(host.program("patchctl"), host.placed(["watch", "1"]))
        try host.write("", "go")
        #expect(watching.end() == 1)
        #expect(watching.output.contains("job 1: PAIE failed: ") && watching.output.contains("SEED blocked"))
        #expect(try host.run("patchctl", "watch", "1").code == 1)
        #expect(try host.run("patchctl", "watch", "7").errors.contains("there is no job 7"))
    }

    @Test func `ends with Ctrl-C, and the job goes on`() throws {
        let daemon = try begin()
        defer { daemon.terminate() }
        let watching = try RunningProgram(host.program("patchctl"), host.placed(["watch", "1"]))
        #expect(host.until("told") { watching.output.contains("PAIE running") })
        watching.send(SIGINT)
        #expect(watching.end() != 0)
        #expect(try host.job(1)["state"] as? String == "running")
        try host.write("", "go")
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" })
    }

    @Test(arguments: [true, false]) func `draws on a terminal, unless NO_COLOR is set`(isDrawn: Bool) throws {
        let daemon = try begin()
        defer { daemon.terminate() }
        let command = ([host.program("patchctl")] + host.placed(["watch", "1"])).joined(separator: " ")
        let watching = try RunningProgram(
            "/usr/bin/script",
            ["-qec", "stty cols 80; env \(isDrawn ? "-u NO_COLOR" : "NO_COLOR=1") \(command)", "/dev/null"],
            environment: ["TERM": "xterm"])
        #expect(host.until("told") { watching.output.contains(isDrawn ? "PAIE             [" : "PAIE running") })
        try host.write("", "go")
        #expect(watching.end() == 0)
        #expect(watching.output.contains("\u{1B}[") == isDrawn)
        #expect(watching.output.contains("[####################]") == isDrawn)
        let lines = watching.output.split(whereSeparator: \.isNewline)
        #expect(lines.allSatisfy { $0.count < 90 || !isDrawn }, "none is wrapped")
    }
}
