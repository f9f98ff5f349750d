import Foundation
import Support
import Testing

@Suite struct `patchctl guard` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
    }

    private func start(_ options: String..., command: String..., in directory: String? = nil) throws -> RunningProgram {
        try RunningProgram(
            host.program("patchctl"), host.placed(["guard"] + options + ["payroll/SEED", "--"] + command), in: directory
        )
    }

    private func shell(_ script: String, _ options: String...) throws -> RunningProgram {
        try RunningProgram(
            host.program("patchctl"), host.placed(["guard"] + options + ["payroll/SEED", "--", "sh", "-c", script]))
    }

    @Test(arguments: [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -15 $$", 143)])
    func `ends as its command does`(script: String, code: Int) throws {
        let outcome = try host.run("patchctl", "guard", "payroll/SEED", "--", "sh", "-c", script)
        #expect(Int(outcome.code) == code, "\(outcome)")
    }

    @Test func `says that a command cannot be run`() throws {
        let missing = try host.run("patchctl", "guard", "payroll/SEED", "--", "no-such-program")
        #expect(missing.code == 127 && missing.errors.contains("no-such-program"))
        #expect(try host.run("patchctl", "guard", "payroll/SEED", "--", "/etc/passwd").code == 126)
        #expect(try host.run("patchctl", "guard", "payroll/SEED").code == 2)
        #expect(!host.isInUse("SEED"))
    }

    @Test func `leaves standard streams, working directory and arguments as they are`() throws {
        let program = try start(
            command: "sh", "-c", "cat; pwd; echo \"$1\" >&2; exit 4", "sh", "--json a b", in: "\(host.root)/srv/SEED2")
        try program.write("from outside\n")
        #expect(program.end() == 4)
        #expect(program.output == "from outside\n\(host.root)/srv/SEED2\n")
        #expect(program.errors == "--json a b\n")
    }

    @Test func `starts nothing while the folder is locked, announced or not`() throws {
        for (code, phase) in [(9998, "announced"), (9999, "failed")] {
            try host.lock("SEED", code: code, phase: phase)
            let outcome = try host.run("patchctl", "guard", "payroll/SEED", "--", "touch", "\(host.root)/started")
            #expect(outcome.code == 5 && outcome.errors.contains("\(code) \(phase), job 12"), "\(outcome.errors)")
            #expect(!host.exists("started") && !host.isInUse("SEED"))
        }
    }

    @Test func `has its command leave at 9999 and not before, and the folder is in use until then`() throws {
        let program = try shell("trap 'echo bye; exit 0' TERM; echo here; while :; do sleep 0.1; done")
        #expect(host.until("runs") { program.output == "here\n" })
        #expect(host.isInUse("SEED") && !host.isInUse("SEED2"))
        try host.lock("SEED", code: 9998, phase: "announced", deadline: 3600)
        // The next change is seen after this one, so this one was seen.
        try host.write("", "srv/SEED/other")
        #expect(program.isRunning && program.output == "here\n")
        try host.lock("SEED", phase: "disconnect", deadline: 3600)
        #expect(program.end() == 5)
        #expect(program.output == "here\nbye\n")
        #expect(program.errors.contains("sh had to leave: payroll/SEED is locked: 9999 disconnect"))
        #expect(!host.isInUse("SEED"))
    }

    @Test func `kills at the deadline who does not leave, and his children`() throws {
        let program = try shell("trap '' TERM; sleep 1000 & echo $! here; wait")
        #expect(host.until("runs") { program.output.hasSuffix("here\n") })
        let child = try #require(Int32(program.output.prefix { $0 != " " }))
        try host.lock("SEED", phase: "disconnect", deadline: 1)
        #expect(program.end() == 5)
        #expect(kill(child, 0) != 0)
        #expect(program.errors.contains("did not leave within 1 s"))
        #expect(!host.isInUse("SEED"))
    }

    @Test func `takes another time for one that is set nowhere`() throws {
        let program = try shell("trap '' TERM; echo here; while :; do sleep 0.1; done", "--grace", "1")
        #expect(host.until("runs") { program.output == "here\n" })
        // What nobody can read is a reason to leave, too.
        try host.write("no JSON", "srv/SEED/update.lock")
        #expect(program.end() == 5)
    }

    @Test func `stands for whoever its command leaves behind, in a session of his own too`() throws {
        let left = "\(host.root)/left"
        let program = try shell(
            "setsid sh -c 'trap \"echo bye >\(left); exit\" TERM; echo daemon; while :; do sleep 0.1; done' & exit 3")
        #expect(
            host.until("its command has ended") {
                program.errors.contains("sh ended with 3; still inside payroll/SEED: ")
            })
        #expect(host.until("runs") { program.output == "daemon\n" })
        #expect(host.isInUse("SEED"))
        try host.lock("SEED", deadline: 3600)
        #expect(program.end() == 5)
        #expect(try host.read("left") == "bye\n")
        #expect(!host.isInUse("SEED"))
    }

    @Test func `has the exit code of a command that left somebody, when he has ended`() throws {
        #expect(
            try host.run("patchctl", "guard", "payroll/SEED", "--", "sh", "-c", "setsid sleep 0.5 & exit 3").code == 3)
    }

    @Test func `does not wait for children of the script that it was started from`() throws {
        // The cat ends only after guard has.
        let outcome = try Installation.run(
            "/bin/bash",
            ["-c", "exec > >(cat >\(host.root)/log); exec \"$@\"", "bash", host.program("patchctl")]
                + host.placed(["guard", "payroll/SEED", "--", "sh", "-c", "echo done; exit 6"]))
        #expect(outcome.code == 6)
        #expect(host.until("logged") { (try? host.read("log")) == "done\n" })
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func `passes signals on, and does not start again what somebody ended`(signal: Int32) throws {
        let program = try shell(
            "trap 'echo got; exit 9' TERM INT HUP; echo here; while :; do sleep 0.1; done", "--restart")
        #expect(host.until("runs") { program.output == "here\n" })
        program.send(signal)
        #expect(program.end() == 9)
        #expect(program.output == "here\ngot\n")
    }

    @Test func `starts its command again after the update, as it is by then`() throws {
        let version = "\(host.root)/srv/SEED/bin/version"
        try host.write("#!/bin/sh\necho one\nwhile :; do sleep 0.1; done\n", "srv/SEED/bin/version")
        chmod(version, 0o755)
        try host.lock("SEED")
        let program = try start("--restart", command: version, in: "\(host.root)/srv/SEED/bin")
        #expect(host.until("waits") { program.errors.contains("waiting: payroll/SEED is locked") })
        #expect(!host.isInUse("SEED"))
        try host.unlock("SEED")
        #expect(host.until("runs") { program.output == "one\n" })
        try host.lock("SEED", phase: "disconnect", deadline: 3600)
        #expect(host.until("has left") { !host.isInUse("SEED") })
        // Even the directory it ran in is another one.
        try FileManager.default.moveItem(atPath: "\(host.root)/srv/SEED/bin", toPath: "\(host.root)/old")
        try host.write("#!/bin/sh\necho two\ncat ./version >/dev/null && exit 7\n", "srv/SEED/bin/version")
        chmod(version, 0o755)
        try host.unlock("SEED")
        #expect(program.end() == 7)
        #expect(program.output == "one\ntwo\n")
    }

    @Test func `ends while it waits when it is told to`() throws {
        try host.lock("SEED")
        let program = try shell("echo here", "--restart")
        #expect(host.until("waits") { program.errors.contains("waiting: ") })
        program.send(SIGTERM)
        #expect(program.end() == 143)
        #expect(program.output == "")
    }

    @Test func `when it is killed tells its command, and the folder is in use until that has ended`() throws {
        try host.write("", "go")
        let program = try shell(
            "trap 'rm \(host.root)/go' TERM; echo here; while [ ! -e \(host.root)/end ]; do sleep 0.1; done")
        #expect(host.until("runs") { program.output == "here\n" })
        program.send(SIGKILL)
        #expect(host.until("told") { !host.exists("go") })
        #expect(host.isInUse("SEED"))
        try host.write("", "end")
        #expect(host.until("has ended") { !host.isInUse("SEED") })
    }

    @Test func `leaves the terminal to its command`() throws {
        // Ctrl-C reaches the command once, from the terminal, and guard ends as the command does.
        let script = """
            import os, pty, sys
            pid, terminal = pty.fork()
            if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
            text = b""
            while b"here" not in text: text += os.read(terminal, 1000)
            os.write(terminal, b"\\x03")
            try:
                while True:
                    more = os.read(terminal, 1000)
                    if not more: break
                    text += more
            except OSError: pass
            print(text.count(b"got"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            """
        let outcome = try Installation.run(
            "/usr/bin/python3",
            ["-c", script, host.program("patchctl")]
                + host.placed([
                    "guard", "payroll/SEED", "--", "sh", "-c",
                    "trap 'echo got; n=x$n' INT; echo here; while [ -z \"$n\" ]; do sleep 0.1; done; sleep 0.3; exit 8",
                ]))
        #expect(outcome.output == "1 8\n", "\(outcome.errors)")
    }

    /// An application that hands over its own update, is stopped for it and comes back in the new version.
    @Test func `lets an application update itself`() throws {
        let update = "\(host.root)/update.zip"
        var example = ExampleUpdate()
        example.files["X3V8_P2/FILPATCH/bin/app"] = "echo \"new $PPID\" >>\"$1\"\nwhile :; do sleep 0.1; done\n"
        try example.pack(to: update)
        let log = "\(host.root)/log"
        let places = host.places(for: []).joined(separator: " ")
        try host.write(
            "echo \"old $PPID\" >>\"$1\"\n\(host.program("patchctl")) submit \(update) \(places)\nwhile :; do sleep 0.1; done\n",
            "srv/SEED/bin/app")
        try host.configure("payroll", settings: "grace: 30s\n")
        let daemon = try host.start()
        defer { daemon.terminate() }
        let program = try start("--restart", command: "sh", "\(host.root)/srv/SEED/bin/app", log)
        #expect(
            host.until("new") { (try? host.read("log").split(separator: "\n").count) == 2 }, "\(program.errors)")
        #expect(try host.read("log") == "old \(program.pid)\nnew \(program.pid)\n")
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.2")
        program.send(SIGTERM)
        #expect(program.end() == 143)
    }
}
