import Foundation
import Support
import Testing

/// PAIE's database lies in a directory of its own, which a test mounts as it needs it.
@Suite(.enabled(if: geteuid() == 0, "mounts need root"))
final class `A database that cannot be written` {
    let host: Installation
    private var mounts: [String] = []

    init() throws {
        host = try Installation()
        try host.configureDatabase(version: "8.0.1", at: "data/app.db")
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    }

    deinit { for place in mounts.reversed() { umount2(place, Int32(MNT_DETACH)) } }

    private var data: String { "\(host.root)/srv/PAIE/data" }

    @discardableResult
    private func sql(_ statement: String) throws -> String { try host.sql(statement, in: "srv/PAIE/data/app.db") }

    private func mount(_ arguments: String..., at place: String) throws {
        let outcome = try Installation.run("/usr/bin/mount", arguments + [place])
        try #require(outcome.code == 0, "\(outcome.errors)")
        if !arguments.contains(where: { $0.hasPrefix("remount") }) { mounts.append(place) }
    }

    private func apply(_ script: String) throws -> Int32 {
        var update = ExampleUpdate()
        update.files = ["X3V8_P2/FILPATCH/upgrades/8.0.2.sql": script, "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n"]
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once().code
    }

    private func job(_ number: Int) throws -> (code: String, message: String, state: String) {
        let job = try host.json("state/jobs/\(number)/job.json")
        return (job["code"] as? String ?? "", job["message"] as? String ?? "", job["state"] as? String ?? "")
    }

    private func told(_ number: Int) -> String { (try? job(number)).map { "\($0)" } ?? "" }

    @Test func `because it is read-only is a fault before anything is touched`() throws {
        try sql("CREATE TABLE account (name TEXT)")
        try mount("--bind", data, at: data)
        try mount("-o", "remount,bind,ro", at: data)
        #expect(try apply("INSERT INTO account VALUES ('a');") == 1)
        let (code, message, _) = try job(1)
        #expect(code == "database")
        #expect(message.contains("\(data)/app.db") && message.contains("writable"), "\(message)")
        #expect(!host.exists("srv/PAIE/update.lock") && !host.exists("srv/PAIE/bis.dat"))
        try mount("-o", "remount,bind,rw", at: data)
        #expect(try apply("INSERT INTO account VALUES ('a');") == 0)
        #expect(try sql("SELECT name FROM account") == "a")
    }

    @Test func `because its directory is read-only is a fault before anything is touched`() throws {
        try sql("CREATE TABLE account (name TEXT)")
        try mount("--bind", data, at: data)
        try mount("--bind", "\(data)/app.db", at: "\(data)/app.db")
        try mount("-o", "remount,bind,ro", at: data)
        #expect(try apply("INSERT INTO account VALUES ('a');") == 1)
        let (code, message, _) = try job(1)
        #expect(code == "database")
        #expect(message.contains("\(data)") && message.contains("writable"), "\(message)")
        #expect(!host.exists("srv/PAIE/update.lock") && !host.exists("srv/PAIE/bis.dat"))
    }

    @Test func `because the disk is full keeps nothing of the script, and goes on when there is room`() throws {
        try mount("-t", "tmpfs", "-o", "size=1m,mode=755", "none", at: data)
        try sql("CREATE TABLE account (name TEXT); CREATE TABLE big (bytes BLOB)")
        let script = """
            INSERT INTO account VALUES ('first');
            WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 40)
            INSERT INTO big SELECT randomblob(100000) FROM n;
            INSERT INTO account VALUES ('last');
            """
        #expect(try apply(script) == 1)
        let (code, message, _) = try job(1)
        #expect(code == "space")
        #expect(message.contains("statement 2 of 3") && message.contains("make room"), "\(message)")
        #expect(message.contains("\(data)/app.db") && message.contains("resume"), "\(message)")
        #expect(try sql("SELECT count(*) FROM account") == "0")
        #expect(try sql("SELECT count(*) FROM big") == "0")
        #expect(try sql("PRAGMA integrity_check") == "ok")
        #expect(try host.json("srv/PAIE/update.lock")["phase"] as? String == "failed")
        try mount("-o", "remount,size=20m", at: data)
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try job(1).state == "done", "\(told(1))")
        #expect(try sql("SELECT name FROM account") == "first\nlast")
        #expect(try sql("SELECT count(*) FROM big") == "40")
        #expect(!host.exists("srv/PAIE/update.lock"))
    }
}
