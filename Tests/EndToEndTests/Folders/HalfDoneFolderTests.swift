import Foundation
import Support
import Testing

/// A folder that is half done stays locked, whatever else fails, is reloaded or renamed meanwhile.
@Suite struct `A folder that is half done` {
    let host: Installation

    init() throws { host = try Installation() }

    private func update(_ version: String, _ dependency: String, up: String = "true", down: String = "true")
        -> ExampleUpdate
    {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = [
            "X3V8_P2/FILPATCH/lib/a.dat": "a \(version)\n", "X3V8_P2/FILPATCH/upgrades/\(version).sh": "\(up)\n",
            "X3V8_P2/FILPATCH/downgrades/\(version).sh": "\(down)\n", "X3V8_P2BIS/FILPATCH/bis.dat": "bis \(version)\n",
        ]
        return update
    }

    private func apply(_ update: ExampleUpdate, options: String? = nil) throws -> Int32 {
        if let options { try host.write(options, "spool/incoming/update.zip.json") }
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once().code
    }

    private var locked: [String] { host.folders.filter { host.exists("srv/\($0)/update.lock") } }

    private func state(_ folder: String, _ key: String) throws -> String? {
        try host.json("state/endpoints/payroll/\(folder).json")[key] as? String
    }

    @Test func `stays locked with all below it when another job holds another folder, through a restart`() throws {
        #expect(try apply(update("8.0.2", "8.0.1", down: "test $PATCHD_FOLDER != SEED2")) == 0)
        #expect(try apply(update("8.0.3", "8.0.2", up: "test $PATCHD_FOLDER != PAIE")) == 1)
        #expect(locked == host.folders)
        let answer = try host.ask(#"{"command": "rollback", "endpoint": "payroll", "folder": "SEED2"}"#)
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try host.job(2)["state"] as? String == "failed" && host.job(3)["state"] as? String == "failed")
        for _ in 0..<2 {
            #expect(locked == host.folders)
            #expect(try host.json("srv/PAIE/update.lock")["job"] as? Int == 2)
            #expect(try host.json("srv/SEED2/update.lock")["job"] as? Int == 3)
            #expect(try host.run("patchctl", "wait", "--timeout", "0s", "payroll/SEED").code == 5)
            try host.once()
        }
    }

    /// The endpoint's file in several wrong forms, while SEED is failed.
    @Test(arguments: ["gone", "without the folder", "renamed", "moved"])
    func `keeps its lock, its job and its archive when its entry in the configuration is`(_ change: String) throws {
        let file = "etc/endpoints.d/payroll.yaml"
        let whole = try host.read(file)
        let seed = "  - {name: SEED, parent: PAIE}\n"
        try #require(whole.contains(seed))
        #expect(try apply(update("8.0.2", "8.0.1", up: "test $PATCHD_FOLDER != SEED || test -e fixed")) == 1)
        #expect(locked == ["SEED"])
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("ready") { daemon.errors.contains("ready") })
        switch change {
        case "gone": try FileManager.default.removeItem(atPath: "\(host.root)/\(file)")
        case "without the folder": try host.write(whole.replacing(seed, with: ""), file)
        case "renamed":
            try host.write(whole.replacing(seed, with: "  - {name: SEED9, parent: PAIE, path: SEED}\n"), file)
        default: try host.write(whole.replacing(seed, with: "  - {name: SEED, parent: PAIE, path: OTHER}\n"), file)
        }
        try FileManager.default.createDirectory(atPath: "\(host.root)/srv/OTHER", withIntermediateDirectories: true)
        daemon.send(SIGHUP)
        #expect(host.until("read again") { daemon.errors.contains("was read again") })
        #expect(daemon.errors.contains("keeps its earlier configuration"), "\(daemon.errors)")
        #expect(locked == ["SEED"])
        #expect(try host.run("patchctl", "wait", "--timeout", "0s", "payroll/SEED").code == 5)
        // Also at a start, with the file as it is.
        daemon.send(SIGKILL)
        _ = daemon.end()
        try host.once()
        #expect(locked == ["SEED"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/archives").count == 1)
        // Put back, it goes on.
        try host.write(whole, file)
        try host.write("", "srv/SEED/fixed")
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try host.job(1)["state"] as? String == "done")
        #expect(locked == [])
        #expect(try state("SEED", "version") == "8.0.2")
    }

    @Test func `and one that is done keep version and history when the configuration gives them another name`() throws {
        #expect(try apply(update("8.0.2", "8.0.1")) == 0)
        let file = "etc/endpoints.d/payroll.yaml"
        let whole = try host.read(file)
        try host.write(
            whole.replacing("{name: SEED, parent: PAIE}", with: "{name: SEED9, parent: PAIE, path: SEED}"), file)
        try host.once()
        #expect(try state("SEED9", "version") == "8.0.2")
        #expect(try state("SEED9", "path") == "\(host.root)/srv/SEED")
        #expect(try host.read("state/endpoints/payroll/SEED9.history.jsonl").contains("8.0.2"))
        #expect(!host.exists("state/endpoints/payroll/SEED.json"))
    }

    @Test func `keeps its version when its directory was moved, and wait answers for where it is now`() throws {
        #expect(try apply(update("8.0.2", "8.0.1")) == 0)
        let file = "etc/endpoints.d/payroll.yaml"
        try FileManager.default.moveItem(atPath: "\(host.root)/srv/SEED", toPath: "\(host.root)/srv/NEW")
        try host.write(
            try host.read(file).replacing("{name: SEED, parent: PAIE}", with: "{name: SEED, parent: PAIE, path: NEW}"),
            file)
        try host.once()
        #expect(try state("SEED", "path") == "\(host.root)/srv/NEW" && state("SEED", "version") == "8.0.2")
        #expect(try host.run("patchctl", "wait", "--timeout", "0s", "payroll/SEED").code == 0)
    }

    /// It began again at the version of the configuration, and with it the scripts that had run.
    @Test func `and one that is done keep their versions when the endpoint has another name`() throws {
        #expect(try apply(update("8.0.2", "8.0.1", up: "echo ran >> ran")) == 0)
        let file = "etc/endpoints.d/payroll.yaml"
        try host.write(try host.read(file).replacing("endpoint: payroll\n", with: "endpoint: pay2\n"), file)
        let outcome = try host.once()
        #expect(
            outcome.errors.contains("pay2/SEED was payroll/SEED before: it keeps its version, 8.0.2"),
            "\(outcome.errors)")
        try update("8.0.2", "8.0.1", up: "echo ran >> ran").pack(to: "\(host.root)/spool/incoming/again.zip")
        try update("8.0.3", "8.0.2", up: "echo ran >> ran").pack(to: "\(host.root)/spool/incoming/next.zip")
        #expect(try host.once().code == 0)
        for folder in host.folders {
            #expect(try host.json("state/endpoints/pay2/\(folder).json")["version"] as? String == "8.0.3")
            #expect(try host.read("srv/\(folder)/ran") == "ran\nran\n")
        }
    }

    @Test func `in a rollback goes on with assume-done at the downgrade that failed`() throws {
        #expect(try apply(update("8.0.2", "8.0.1", down: "test $PATCHD_FOLDER != SEED")) == 0)
        #expect(
            try host.ask(#"{"command": "rollback", "endpoint": "payroll", "folder": "SEED"}"#)["ok"] as? Bool == true)
        #expect(try host.job(2)["state"] as? String == "failed" && locked == ["SEED"])
        let again = try host.ask(#"{"command": "rollback", "endpoint": "payroll", "folder": "SEED"}"#)
        #expect(again["ok"] as? Bool == false)
        #expect((again["message"] as? String)?.contains("resume 2") == true, "\(again)")
        #expect((again["message"] as? String)?.contains("has stopped in SEED;") == true, "\(again)")
        let resumed = try host.ask(#"{"command": "resume", "job": 2, "assumeDone": "8.0.2.sh"}"#)
        #expect(resumed["ok"] as? Bool == true, "\(resumed)")
        #expect(try host.job(2)["state"] as? String == "done")
        #expect(try state("SEED", "version") == "8.0.1")
        #expect(try host.read("srv/SEED/lib/a.dat") == "old\n")
    }

    @Test func `and is skipped says so, and never that all is well`() throws {
        #expect(try apply(update("8.0.2", "8.0.1", down: "test $PATCHD_FOLDER != SEED")) == 0)
        #expect(
            try host.ask(#"{"command": "rollback", "endpoint": "payroll", "folder": "SEED"}"#)["ok"] as? Bool == true)
        #expect(try host.ask(#"{"command": "resume", "job": 2, "skip": ["SEED"]}"#)["ok"] as? Bool == true)
        #expect(try state("SEED", "message")?.contains("baseline") == true)
        #expect(try state("SEED", "message")?.contains("0 of 0") == false)
        // It was left with 8.0.2, as its reference folder has it.
        #expect(try locked == [] && state("SEED", "version") == "8.0.2")
        #expect(try host.run("patchctl", "status").output.contains("patchctl baseline payroll/SEED VERSION"))
    }

    @Test func `is let go when an admin has it forgotten, after its entry was removed`() throws {
        let file = "etc/endpoints.d/payroll.yaml"
        #expect(try apply(update("8.0.2", "8.0.1", up: "test $PATCHD_FOLDER != SEED")) == 1)
        let forget = #"{"command": "forget", "endpoint": "payroll", "folder": "SEED"}"#
        #expect(try host.ask(forget)["code"] as? String == "wrongState")
        try host.write(try host.read(file).replacing("  - {name: SEED, parent: PAIE}\n", with: ""), file)
        try host.once()
        #expect(locked == ["SEED"])
        let answer = try host.ask(forget)
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(locked == [])
        #expect(!host.exists("state/endpoints/payroll/SEED.json"))
        // The configuration without it is in effect now.
        #expect(try apply(update("8.0.3", "8.0.2")) == 0)
        #expect(try state("SEED2", "version") == "8.0.3")
    }
}
