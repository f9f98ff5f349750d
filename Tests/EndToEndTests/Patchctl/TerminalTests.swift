import Foundation
import Support
import Testing

/// What a vendor, a process, a database or a folder's owner wrote moves no cursor and hides nothing, in whichever command.
@Suite struct `A terminal` {
    let host: Installation
    /// A window's title, a colour, the 8-bit form of the same, text that runs backwards, and one that cannot be seen.
    static let attack = "\u{1B}]0;owned\u{7}\u{1B}[31m\u{9B}2J\u{202E}\u{200B}"

    init() throws {
        host = try Installation()
        try host.once()
    }

    private func isClean(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            scalar == "\n" || scalar == "\t"
                || ![.control, .format].contains(scalar.properties.generalCategory)
        }
    }

    @Test(arguments: [
        ["status"], ["status", "--json"], ["jobs"], ["jobs", "--json"], ["show", "1"], ["show", "1", "--json"],
        ["watch", "1"], ["trace", "1", "SEED"], ["history"], ["history", "--json"], ["holds"], ["marks"],
        ["wait", "--timeout", "0", "payroll/SEED"], ["guard", "payroll/SEED", "--", "true"], ["hold", "payroll"],
        ["nonsense\(attack)"], ["explain", attack],
    ])
    func `gets no escape sequence from what is shown`(arguments: [String]) throws {
        let attack = Self.attack
        try host.changeState("SEED", ["status": "failed", "message": attack, "update": attack])
        try host.prepare(
            job: 1, "failed", folders: ["SEED": "failed"],
            ["message": attack, "update": attack, "signer": attack, "waitingFor": attack])
        try host.change("state/jobs/1/job.json") { job in
            job["folders"] = [
                "SEED": [
                    "state": "failed", "code": "inUse", "message": "in use by \(attack)", "equal": 0,
                    "progress": ["done": 1, "total": 2, "step": attack],
                ]
            ]
        }
        let event: [String: Any] = [
            "at": "2026-11-21T10:15:00.123Z", "job": 1, "endpoint": "payroll", "folder": "SEED", "step": attack,
            "event": "output", "text": attack,
        ]
        try host.write(
            String(decoding: JSONSerialization.data(withJSONObject: event), as: UTF8.self) + "\n",
            "state/jobs/1/traces/SEED.jsonl")
        let entry: [String: Any] = [
            "job": 1, "operation": "apply", "update": attack, "from": "8.0.1", "to": "8.0.2", "state": "failed",
            "at": "2026-11-21T10:15:00.123Z",
        ]
        try host.write(
            String(decoding: JSONSerialization.data(withJSONObject: entry), as: UTF8.self) + "\n",
            "state/endpoints/payroll/SEED.history.jsonl")
        try host.write("\(attack)\n", "spool/holds/payroll.SEED.lock")
        try host.write(
            #"{"schema":1,"marks":[{"update":"X","version":"1","by":"\#(Self.attack.unicodeScalars.filter { $0.value > 0x9F })x","at":"2026-11-21T10:15:00.123Z"}]}"#,
            "state/unstable.json")
        try host.lock("SEED")
        try host.change("srv/SEED/update.lock") { $0["message"] = "\(attack)\npatchctl: all is well" }
        let outcome = try Installation.run(host.program("patchctl"), host.placed(arguments))
        #expect(!outcome.output.isEmpty || !outcome.errors.isEmpty)
        #expect(isClean(outcome.output), "\(outcome.output.debugDescription)")
        #expect(isClean(outcome.errors), "\(outcome.errors.debugDescription)")
        #expect(!outcome.errors.split(separator: "\n").contains("patchctl: all is well"), "no line of somebody else's")
    }

    @Test func `gets none from an archive, nor from the names of files that verify compares`() throws {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/\u{1B}[31m.txt"] = "x"
        try update.pack(to: "\(host.root)/update.zip")
        for command in ["lint", "plan"] {
            let outcome = try host.run("patchctl", command, "\(host.root)/update.zip")
            #expect(outcome.code != 0 && isClean(outcome.output) && isClean(outcome.errors), "\(outcome)")
        }
        try FileManager.default.removeItem(atPath: "\(host.root)/update.zip")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        try host.once()
        try host.write(
            "\(String(repeating: "0", count: 64)) lib/\(Self.attack)\n", "srv/SEED/.patchd/brought/2.2")
        let outcome = try host.run("patchctl", "verify", "payroll/SEED")
        #expect(outcome.output.contains("missing  payroll/SEED  lib/\\x1b"), "\(outcome)")
        #expect(isClean(outcome.output) && isClean(outcome.errors), "\(outcome)")
    }

    @Test func `gets none from the daemon's own log either`() throws {
        try host.write("x", "spool/incoming/a\u{1B}[31m\u{202E}.zip")
        let outcome = try host.once()
        #expect(isClean(outcome.errors), "\(outcome.errors.debugDescription)")
        #expect(outcome.errors.contains("\\x1b[31m\\u{202e}.zip"), "\(outcome.errors)")
    }
}
