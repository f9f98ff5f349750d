import Foundation
import Testing

@Suite struct `patchctl hold` {
    let host: Installation

    init() throws {
        host = try Installation()
        try FileManager.default.createDirectory(atPath: "\(host.root)/spool/holds", withIntermediateDirectories: true)
        try host.once()
        chmod("\(host.root)/spool/holds", 0o1777)
    }

    @Test(arguments: [("payroll", "payroll.lock"), ("payroll/SEED", "payroll.SEED.lock"), ("ALL", "ALL.lock")])
    func `is granted where no update is at work, and taken away`(target: String, file: String) throws {
        let outcome = try host.run(
            "patchctl", "hold", target, "--reason", "month's\nend", "--pid", "\(getpid())", "--until", "2h")
        #expect(outcome.code == 0 && outcome.output.hasPrefix("granted: "), "\(outcome.errors)")
        let lines = try host.read("spool/holds/\(file)").split(separator: "\n").map(String.init)
        #expect(lines.count == 3 && lines[0] == "month's end" && lines[2] == "pid: \(getpid())", "\(lines)")
        #expect(lines[1].wholeMatch(of: /until: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/holds") == [file])
        #expect(try host.run("patchctl", "unhold", target).code == 0)
        #expect(!host.exists("spool/holds/\(file)"))
        #expect(try host.run("patchctl", "unhold", target).code == 3)
    }

    @Test func `comes too late for an update that is at work, and stays`() throws {
        try host.lock("SEED", code: 9998, phase: "announced")
        let outcome = try host.run("patchctl", "hold", "payroll")
        #expect(
            outcome.code == 5 && outcome.errors.contains("payroll/SEED is locked: 9998 announced"), "\(outcome.errors)")
        #expect(host.exists("spool/holds/payroll.lock"))
        #expect(try host.run("patchctl", "hold", "payroll/SEED2").code == 0)
    }

    @Test func `replaces one's own and says what it was, and a stranger's; another's that counts stays`()
        throws
    {
        #expect(
            try host.run("patchctl", "hold", "payroll", "--reason", "one", "--until", "2099-01-01T00:00:00Z").code == 0)
        let second = try host.run("patchctl", "hold", "payroll", "--reason", "two")
        #expect(
            second.code == 0 && second.errors.contains("\"one\"") && second.errors.contains("until 2099-01-01"),
            "\(second)")
        #expect(second.errors.contains("without an end"), "\(second.errors)")
        #expect(try host.read("spool/holds/payroll.lock") == "two\n")
        guard geteuid() == 0 else { return }
        try host.write("approvers: daemon\n", "etc/patchd.yaml")
        chown("\(host.root)/spool/holds/payroll.lock", 1, 1)
        let outcome = try host.run("patchctl", "hold", "payroll", "--reason", "three")
        #expect(outcome.code == 4 && outcome.errors.contains("is daemon's"), "\(outcome.errors)")
        #expect(outcome.errors.contains("daemon or root can take it away"))
        #expect(try host.read("spool/holds/payroll.lock") == "two\n")
        chown("\(host.root)/spool/holds/payroll.lock", 65534, 65534)
        #expect(try host.run("patchctl", "hold", "payroll", "--reason", "three").code == 0)
        #expect(try host.read("spool/holds/payroll.lock") == "three\n")
    }

    @Test func `is not led away by a link`() throws {
        symlink("\(host.root)/victim", "\(host.root)/spool/holds/payroll.lock")
        #expect(try host.run("patchctl", "hold", "payroll", "--reason", "mine").code == 0)
        #expect(!host.exists("victim"))
        #expect(try host.read("spool/holds/payroll.lock") == "mine\n")
    }

    @Test(arguments: [
        (["payrol"], 1, "did you mean \"payroll\""), (["payroll/SED"], 1, "did you mean"),
        (["SEED"], 1, "payroll/SEED"),
        (["all"], 2, "did you mean \"ALL\""), (["../x"], 2, "no target"),
        (["payroll", "--pid", "1999999999"], 2, "no process"),
        (["payroll", "--until", "2001-01-01T00:00:00Z"], 2, "is in the past"),
        (["payroll", "--until", "soon"], 2, "until"),
        (["payroll", "--reason", "pid: 1"], 2, "cannot begin"),
    ])
    func `refuses what would hold nothing`(arguments: [String], code: Int, words: String) throws {
        let outcome = try Installation.run(host.program("patchctl"), host.placed(["hold"] + arguments))
        #expect(Int(outcome.code) == code && outcome.errors.contains(words), "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/holds").isEmpty)
    }
}
