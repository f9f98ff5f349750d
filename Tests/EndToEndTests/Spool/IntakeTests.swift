import Foundation
import Support
import Testing

@Suite struct `What is dropped` {
    @Test func `by a vendor whom no endpoint accepts is refused, and nothing but the spool changes`() throws {
        let host = try Installation(settings: "accepts: [\"Y*\"]\n")
        try host.once()
        let before = try host.picture(withTimes: true)
        let state = try FileManager.default.subpathsOfDirectory(atPath: "\(host.root)/state").sorted()
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try host.json("spool/rejected/update.zip.reason.json")["code"] as? String == "notAccepted")
        #expect(try host.picture(withTimes: true) == before)
        #expect(try FileManager.default.subpathsOfDirectory(atPath: "\(host.root)/state").sorted() == state)
    }

    @Test func `that is none is refused at once when it was renamed in, and may still grow when it was written there`()
        throws
    {
        let host = try Installation()
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("ready") { host.exists("state/endpoints/payroll/SEEDPROD2.json") })
        try host.write("no archive", "spool/incoming/grows.zip")
        let incoming = "\(host.root)/spool/incoming"
        try host.write("no archive", "spool/incoming/.whole.part")
        #expect(rename("\(incoming)/.whole.part", "\(incoming)/whole.zip") == 0)
        #expect(host.until("refused") { host.exists("spool/rejected/whole.zip.reason.json") })
        #expect(host.exists("spool/incoming/grows.zip") && !host.exists("spool/rejected/grows.zip"))
    }

    @Test func `is numbered in rejected when its name is there already`() throws {
        let host = try Installation()
        for _ in 1...2 {
            try host.write("no zip", "spool/incoming/bad.zip")
            try host.once()
        }
        #expect(host.exists("spool/rejected/bad.zip") && host.exists("spool/rejected/bad-2.zip"))
        #expect(host.exists("spool/rejected/bad-2.zip.reason.json"))
    }

    @Test func `is refused once, whenever the daemon is killed`() throws {
        let host = try Installation()
        try host.write("no zip", "spool/incoming/bad.zip")
        let order = ["PATCHD_FAULT_POINT": "patchd:kill:next:\(host.root)/next"]
        var starts = 0
        while try host.once(environment: order).code == 128 + SIGKILL, starts < 500 { starts += 1 }
        #expect(starts > 10)
        let rejected = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/rejected")
        #expect(rejected.sorted() == ["bad.zip", "bad.zip.reason.json"])
        let state = try FileManager.default.subpathsOfDirectory(atPath: "\(host.root)/state")
        #expect(!state.contains { $0.hasSuffix(".tmp") })
    }

    @Test func `under names that are no archives is left alone`() throws {
        let host = try Installation()
        let names = [".x.zip", "x.part", "x.zip.tmp", "x.zip~", "notes.txt"]
        for name in names { try host.write("x", "spool/incoming/\(name)") }
        #expect(try host.once().code == 0)
        for name in names { #expect(host.exists("spool/incoming/\(name)"), "\(name)") }
    }

    @Test func `makes a job for each endpoint that accepts it, and both are done`() throws {
        let host = try Installation(settings: "accepts: [\"X3*\"]\n")
        try host.write("old\n", "other/ROOT/lib/a.dat")
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            "endpoint: other\npath: \(host.root)/other\n\(owner)accepts: [\"X3*\"]\nfolders:\n"
                + "  - {name: ROOT, version: 8.0.1}\n", "etc/endpoints.d/other.yaml")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try host.read("other/ROOT/lib/a.dat") == "new a\n")
        #expect(try host.read("srv/SEEDPROD2/lib/a.dat") == "new a\n")
        let endpoints = try (1...2).map { try host.json("state/jobs/\($0)/job.json")["endpoint"] as? String ?? "" }
        #expect(Set(endpoints) == ["payroll", "other"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/archives").count == 1)
    }

    @Test func `changes nothing while a state file is damaged, which is never taken for an empty one`() throws {
        let host = try Installation()
        try host.once()
        try host.write("{", "state/endpoints/payroll/SEED.json")
        let before = try host.picture(withTimes: true)
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        let outcome = try host.once()
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("SEED.json"))
        #expect(try host.picture(withTimes: true) == before)
        #expect(try host.read("state/endpoints/payroll/SEED.json") == "{")
    }
}
