import Foundation
import Support
import Testing

@Suite struct `An update dropped into the spool` {
    let host: Installation

    init() throws { host = try Installation() }

    private func drop(_ update: ExampleUpdate = ExampleUpdate(), as name: String = "update.zip") throws {
        try update.pack(to: "\(host.root)/spool/incoming/\(name)")
    }

    @Test func `raises all five folders in tree order and leaves no lock`() throws {
        try drop()
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        for folder in host.folders {
            #expect(try host.read("srv/\(folder)/lib/a.dat") == "new a\n")
            #expect(try host.read("srv/\(folder)/bis.dat") == "bis\n")
            #expect(!host.exists("srv/\(folder)/update.lock"))
            let state = try host.json("state/endpoints/payroll/\(folder).json")
            #expect(state["version"] as? String == "8.0.2")
            #expect(state["previousVersion"] as? String == "8.0.1")
            #expect(state["status"] as? String == "current")
            #expect(try host.read("state/jobs/1/traces/\(folder).log").contains("\(folder) from 8.0.1 to 8.0.2"))
        }
        let order = outcome.errors.split(separator: "\n").filter { $0.contains(": has 8.0.2") }.map(String.init)
        #expect(order.first?.contains("payroll/PAIE:") == true)
        let parent = try #require(order.firstIndex { $0.contains("payroll/SEEDPROD:") })
        let child = try #require(order.firstIndex { $0.contains("payroll/SEEDPROD2:") })
        #expect(parent < child)
    }

    @Test func `changes nothing when it is dropped again, not even an mtime`() throws {
        try drop()
        try host.once()
        let before = try host.picture(withTimes: true)
        let state = try host.read("state/endpoints/payroll/SEED.json")
        try drop()
        #expect(try host.once().code == 0)
        #expect(try host.picture(withTimes: true) == before)
        #expect(try host.read("state/endpoints/payroll/SEED.json") == state)
        #expect(try host.json("state/jobs/2/job.json")["state"] as? String == "done")
    }

    @Test func `counts files that are as they should be and does not write them`() throws {
        try host.write("new a\n", "srv/SEED/lib/a.dat")
        chmod("\(host.root)/srv/SEED/lib/a.dat", 0o644)
        try drop()
        try host.once()
        let folders = try #require(try host.json("state/jobs/1/job.json")["folders"] as? [String: [String: Any]])
        let seed = try #require(folders["SEED"]?["equal"] as? Int)
        let other = try #require(folders["SEED2"]?["equal"] as? Int)
        #expect(seed == other + 1)
    }

    @Test func `waits for the update that brings its dependency, whichever was dropped first`() throws {
        try drop(ExampleUpdate(version: "8.0.3", dependency: "8.0.2"), as: "a.zip")
        #expect(try host.once().code == 5)
        #expect(try host.json("state/jobs/1/job.json")["state"] as? String == "waiting")
        try drop(as: "b.zip")
        #expect(try host.once().code == 0)
        #expect(try host.json("state/endpoints/payroll/SEEDPROD2.json")["version"] as? String == "8.0.3")
    }

    @Test func `fails before anything is touched when a directory is in the way, and names every folder`() throws {
        try host.write("x", "srv/SEED/top.dat/x")
        try host.write("x", "srv/SEED2/top.dat/x")
        let before = try host.picture(withTimes: true)
        try drop()
        #expect(try host.once().code == 1)
        #expect(try host.picture(withTimes: true) == before)
        let job = try host.json("state/jobs/1/job.json")
        #expect(job["code"] as? String == "exists")
        let message = try #require(job["message"] as? String)
        #expect(message.contains("SEED:") && message.contains("SEED2:"))
    }

    @Test func `blocks only the descendants of a folder that fails, and goes on when it is dropped again`() throws {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "echo x >> runs; test \"$PATCHD_FOLDER\" != SEEDPROD || test -e fixed\n"
        // Packed once: zip writes times, and only the same bytes resume a job.
        try update.pack(to: "\(host.root)/update.zip")
        func dropAgain() throws {
            try FileManager.default.copyItem(
                atPath: "\(host.root)/update.zip", toPath: "\(host.root)/spool/incoming/update.zip")
        }
        try dropAgain()
        #expect(try host.once().code == 1)
        let folders = try #require(try host.json("state/jobs/1/job.json")["folders"] as? [String: [String: Any]])
        #expect(
            folders.mapValues { $0["state"] as? String ?? "" } == [
                "PAIE": "done", "SEED": "done", "SEED2": "done", "SEEDPROD": "failed", "SEEDPROD2": "blocked",
            ])
        #expect(try host.json("srv/SEEDPROD/update.lock")["phase"] as? String == "failed")
        #expect(try host.json("srv/SEEDPROD2/update.lock")["phase"] as? String == "blocked")
        #expect(!host.exists("srv/SEED/update.lock"))
        try host.write("", "srv/SEEDPROD/fixed")
        try dropAgain()
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        for folder in host.folders {
            #expect(!host.exists("srv/\(folder)/update.lock"))
            #expect(try host.json("state/endpoints/payroll/\(folder).json")["version"] as? String == "8.0.2")
        }
        #expect(try host.read("srv/SEED/runs") == "x\n")
        #expect(try host.read("srv/SEEDPROD/runs") == "x\nx\n")
        #expect(!host.exists("state/jobs/2"))
    }

    @Test func `is refused with its sidecars and a reason when it is no archive`() throws {
        try host.write("no zip", "spool/incoming/bad.zip")
        try host.write("{}", "spool/incoming/bad.zip.json")
        #expect(try host.once().code == 1)
        #expect(try host.json("spool/rejected/bad.zip.reason.json")["code"] as? String == "archiveMalformed")
        #expect(host.exists("spool/rejected/bad.zip") && host.exists("spool/rejected/bad.zip.json"))
        #expect(!host.exists("state/jobs/1"))
    }

    @Test(arguments: ["link", "directory", "fifo"]) func `is refused as notAFile when it is something else`(
        kind: String
    ) throws {
        let path = "\(host.root)/spool/incoming/odd.zip"
        switch kind {
        case "link": symlink("/etc/passwd", path)
        case "directory": mkdir(path, 0o755)
        default: mkfifo(path, 0o644)
        }
        #expect(try host.once().code == 1)
        #expect(try host.json("spool/rejected/odd.zip.reason.json")["code"] as? String == "notAFile")
    }

    @Test func `is refused when its options name a folder that does not exist`() throws {
        try drop()
        try host.write(#"{"exclude":["SEDD"]}"#, "spool/incoming/update.zip.json")
        #expect(try host.once().code == 1)
        #expect(try host.json("spool/rejected/update.zip.reason.json")["code"] as? String == "optionsInvalid")
    }

    @Test func `leaves an excluded folder and its descendants, which stay locked as behind`() throws {
        try drop()
        try host.write(#"{"exclude":["SEEDPROD"]}"#, "spool/incoming/update.zip.json")
        #expect(try host.once().code == 0)
        for folder in ["SEEDPROD", "SEEDPROD2"] {
            #expect(try host.read("srv/\(folder)/lib/a.dat") == "old\n")
            #expect(try host.json("srv/\(folder)/update.lock")["phase"] as? String == "behind")
            #expect(try host.json("state/endpoints/payroll/\(folder).json")["behind"] as? Bool == true)
        }
        #expect(!host.exists("srv/SEED/update.lock"))
    }

    /// Its lock said behind, its state file current.
    @Test func `leaves behind a folder that is configured below it later`() throws {
        try drop()
        #expect(try host.once().code == 0)
        try host.write("old\n", "srv/LATE/lib/a.dat")
        try host.write(
            try host.read("etc/endpoints.d/payroll.yaml") + "  - {name: LATE, parent: PAIE}\n",
            "etc/endpoints.d/payroll.yaml")
        #expect(try host.once().code == 0)
        let state = try host.json("state/endpoints/payroll/LATE.json")
        #expect(state["behind"] as? Bool == true && state["status"] as? String == "behind", "\(state)")
        #expect(try host.json("srv/LATE/update.lock")["phase"] as? String == "behind")
    }

    @Test func `only tests when it is asked to`() throws {
        let before = try host.picture(withTimes: true)
        try drop()
        try host.write(#"{"operation":"test"}"#, "spool/incoming/update.zip.json")
        #expect(try host.once().code == 0)
        #expect(try host.picture(withTimes: true) == before)
        #expect(try host.json("state/jobs/1/job.json")["state"] as? String == "done")
    }
}
