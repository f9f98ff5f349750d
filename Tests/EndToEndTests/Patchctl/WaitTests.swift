import Foundation
import Testing

@Suite struct `patchctl wait` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
    }

    @Test func `ends at once where a folder is free, without configuration and daemon`() throws {
        try FileManager.default.removeItem(atPath: "\(host.root)/etc")
        try FileManager.default.removeItem(atPath: "\(host.root)/spool")
        #expect(try host.run("patchctl", "wait", "payroll/SEED").code == 0)
    }

    @Test func `exits 5 after the timeout and says who locked the folder`() throws {
        try host.lock("SEED", code: 9998, phase: "announced", deadline: 3600)
        let outcome = try host.run("patchctl", "wait", "--timeout", "0", "payroll/SEED")
        #expect(outcome.code == 5)
        for word in [
            "payroll/SEED", "9998 announced", "job 12 (X3V8_P2 8.0.2)", "since 2026-11-21 10:15:00 UTC", "deadline 20",
            "by hand",
        ] {
            #expect(outcome.errors.contains(word), "\(word): \(outcome.errors)")
        }
        #expect(try host.run("patchctl", "wait", "--timeout", "0", "payroll/SEED2").code == 0)
        #expect(try host.run("patchctl", "wait", "--timeout", "200ms", "payroll/SEED").code == 5)
        #expect(try host.run("patchctl", "wait", "--timeout", "2ss", "payroll/SEED").code == 2)
    }

    @Test(arguments: ["", "no JSON", "[]", "{\"code\":1}"])
    func `takes whatever lies there for a lock`(text: String) throws {
        try host.write(text, "srv/SEED/update.lock")
        let outcome = try host.run("patchctl", "wait", "--timeout", "0", "payroll/SEED")
        #expect(outcome.code == 5 && outcome.errors.contains("locked"), "\(outcome.errors)")
    }

    @Test func `is not led away by a link, and not stopped by a FIFO`() throws {
        symlink("/nowhere", "\(host.root)/srv/SEED/update.lock")
        #expect(try host.run("patchctl", "wait", "--timeout", "0", "payroll/SEED").code == 5)
        mkfifo("\(host.root)/srv/SEED2/update.lock", 0o644)
        #expect(try host.run("patchctl", "wait", "--timeout", "0", "payroll/SEED2").code == 5)
    }

    @Test func `ends when the lock goes`() throws {
        try host.lock("SEED")
        let waiting = try RunningProgram(host.program("patchctl"), host.placed(["wait", "payroll/SEED"]))
        #expect(host.until("waits") { waiting.errors.contains("waiting: payroll/SEED is locked: 9999 updating") })
        try host.unlock("SEED")
        #expect(waiting.end() == 0)
    }

    @Test(arguments: [
        ("payroll/SED", 1, "did you mean \"payroll/SEED\""), ("SEED", 2, "ENDPOINT/FOLDER"),
        ("payroll/../SEED", 2, "ENDPOINT/FOLDER"), ("payroll/", 2, "ENDPOINT/FOLDER"),
    ])
    func `tells what it does not know`(folder: String, code: Int, words: String) throws {
        let outcome = try host.run("patchctl", "wait", folder)
        #expect(Int(outcome.code) == code && outcome.errors.contains(words), "\(outcome.errors)")
    }

    @Test func `tells a folder that is gone, and a state that is not there, from one that is free`() throws {
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/SEED")
        let gone = try host.run("patchctl", "wait", "payroll/SEED")
        #expect(gone.code == 1 && gone.errors.contains("the folder is gone"), "\(gone.errors)")
        try FileManager.default.removeItem(atPath: "\(host.root)/state")
        let unknown = try host.run("patchctl", "wait", "payroll/SEED2")
        #expect(unknown.code == 1 && unknown.errors.contains("patchd has not run yet"), "\(unknown.errors)")
    }
}
