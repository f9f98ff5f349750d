import Foundation
import Support
import Testing

/// Users 65534 (nobody) and 65533 stand for members of group patchd.
@Suite(.enabled(if: geteuid() == 0, "files of other users need root")) struct `What several users drop` {
    private static let nobody: uid_t = 65534

    /// Puts an archive into `incoming/` as another user's.
    private func drop(_ update: ExampleUpdate, as name: String, of user: uid_t, on host: Installation) throws {
        try update.pack(to: "\(host.root)/packed.zip")
        #expect(chown("\(host.root)/packed.zip", user, user) == 0)
        #expect(rename("\(host.root)/packed.zip", "\(host.root)/spool/incoming/\(name)") == 0)
    }

    private func state(_ job: Int, _ host: Installation) -> String? { try? host.job(job)["state"] as? String }

    /// An order that stops the first reader of an archive, and where it says which process that is.
    private func stop(_ host: Installation) throws -> (order: [String: String], stamp: String) {
        try host.write("", "stamps/.here")
        #expect(chmod("\(host.root)/stamps", 0o777) == 0)
        return (["PATCHD_FAULT_POINT": "patchd-worker:stop:2:\(host.root)/stamps/stopped"], "stamps/stopped")
    }

    private func reader(_ host: Installation, _ stamp: String) throws -> Int32 {
        try #require(Int32(try host.read(stamp).prefix { $0.isNumber }))
    }

    @Test func `is checked side by side: who drops a slow archive delays nobody else's`() throws {
        let host = try Installation()
        let (order, stamp) = try stop(host)
        let daemon = try host.start(environment: order)
        defer { daemon.terminate() }
        try drop(ExampleUpdate(version: "8.0.3", dependency: "8.0.2"), as: "slow.zip", of: Self.nobody, on: host)
        #expect(host.until("the slow one is being read") { host.exists(stamp) })
        try drop(ExampleUpdate(version: "8.0.4", dependency: "8.0.3"), as: "behind.zip", of: Self.nobody, on: host)
        try drop(ExampleUpdate(), as: "other.zip", of: 0, on: host)
        #expect(host.until("the other is done") { state(1, host) == "done" })
        #expect(host.exists("spool/incoming/behind.zip"), "one at a time of each user's")
        #expect(!host.exists("state/jobs/2"))
        // It is started again.
        kill(try reader(host, stamp), SIGKILL)
        #expect(host.until("all are done") { state(2, host) == "done" && state(3, host) == "done" })
        #expect(try host.job(2)["version"] as? String == "8.0.3" && host.job(3)["version"] as? String == "8.0.4")
    }

    @Test func `makes jobs in the order in which it came, though a later one is checked earlier`() throws {
        let host = try Installation()
        let (order, stamp) = try stop(host)
        try drop(ExampleUpdate(version: "8.0.3", dependency: "8.0.2"), as: "z.zip", of: Self.nobody, on: host)
        try drop(ExampleUpdate(), as: "a.zip", of: 0, on: host)
        let once = try RunningProgram(host.program("patchd"), host.placed(["--once"]), environment: order)
        #expect(host.until("the first is being read") { host.exists(stamp) })
        #expect(
            host.until("the second is checked") {
                (try? FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/archives").count) == 1
            })
        // It is started again.
        kill(try reader(host, stamp), SIGKILL)
        #expect(once.end() == 0)
        #expect(try host.job(1)["version"] as? String == "8.0.3")
        #expect(state(1, host) == "done" && state(2, host) == "done", "whichever comes first")
    }

    @Test func `is taken once and only once, whenever the daemon is killed`() throws {
        let host = try Installation()
        for (index, user) in [Self.nobody, 0, 65533].enumerated() {
            try host.write("no zip", "bad.zip")
            #expect(chown("\(host.root)/bad.zip", user, user) == 0)
            #expect(rename("\(host.root)/bad.zip", "\(host.root)/spool/incoming/bad\(index).zip") == 0)
        }
        let order = ["PATCHD_FAULT_POINT": "patchd:kill:next:\(host.root)/next"]
        var starts = 0
        while try host.once(environment: order).code == 128 + SIGKILL, starts < 800 { starts += 1 }
        #expect(starts > 30)
        let rejected = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/rejected")
        #expect(
            rejected.sorted()
                == (0...2).flatMap { ["bad\($0).zip", "bad\($0).zip.reason.json"] })
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/intake").isEmpty)
    }

    @Test func `and is garbage by the hundreds delays neither what others drop nor what they ask for`() throws {
        let host = try Installation()
        try host.once()
        for index in 1...400 {
            try host.write("no zip", "spool/incoming/bad\(index).zip")
            #expect(chown("\(host.root)/spool/incoming/bad\(index).zip", Self.nobody, Self.nobody) == 0)
            try host.request("{", as: "bad\(index).json")
            #expect(chown("\(host.root)/spool/requests/bad\(index).json", Self.nobody, Self.nobody) == 0)
        }
        try drop(ExampleUpdate(), as: "good.zip", of: 0, on: host)
        try host.request(#"{"command":"gc"}"#, as: "good.json")
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("answered") { host.exists("spool/requests/done/good.json") })
        let asked = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/requests").count
        #expect(host.until("done") { state(1, host) == "done" })
        let dropped = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/incoming").count
        #expect(asked > 300, "\(asked) requests are left")
        #expect(dropped > 100, "\(dropped) drops are left")
    }

    @Test func `has the options of who dropped it, and of nobody else`() throws {
        let host = try Installation()
        // An approver's: it may be meant, so that nothing is done without it.
        try host.write("approvers: nogroup\n", "etc/patchd.yaml")
        try host.write(#"{"exclude":["SEED"]}"#, "spool/incoming/mine.zip.json")
        #expect(chown("\(host.root)/spool/incoming/mine.zip.json", Self.nobody, Self.nobody) == 0)
        try drop(ExampleUpdate(), as: "mine.zip", of: 0, on: host)
        #expect(try host.once().code == 1)
        let reason = try host.json("spool/rejected/mine.zip.reason.json")
        #expect(reason["code"] as? String == "optionsInvalid" && (reason["sha256"] as? String)?.count == 64)
        #expect((reason["reason"] as? String)?.contains("nobody's") == true, "\(reason)")
        #expect(host.exists("spool/incoming/mine.zip.json"), "who put it there may want it for a drop of his own")
        try drop(ExampleUpdate(), as: "mine.zip", of: Self.nobody, on: host)
        #expect(try host.once().code == 0)
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.1")
        #expect(!host.exists("spool/incoming/mine.zip.json"))
    }

    @Test func `and asks for under one name is answered to who asked first`() throws {
        let host = try Installation()
        try host.once()
        try host.request(#"{"command":"gc"}"#, as: "a.json")
        try host.once()
        try host.request(#"{"command":"gc"}"#, as: "a.json")
        #expect(chown("\(host.root)/spool/requests/a.json", Self.nobody, Self.nobody) == 0)
        let outcome = try host.once()
        #expect(outcome.errors.contains("gets no answer"), "\(outcome.errors)")
        #expect(try host.json("spool/requests/done/a.json")["ok"] as? Bool == true)
        #expect(!host.exists("spool/requests/a.json"))
    }
}
