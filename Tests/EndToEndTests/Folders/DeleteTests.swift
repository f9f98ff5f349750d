import Foundation
import Support
import Testing

/// `delete` of a patch, in an update as an admin sees it.
@Suite struct `An update that deletes` {
    let host: Installation
    private let main = "X3V8_P2/FILPATCH"

    init() throws { host = try Installation() }

    /// Brings `lib/old/` to the folders, beside the `lib/a.dat` that they had before patchd.
    private var first: ExampleUpdate {
        var update = ExampleUpdate(version: "8.0.2", dependency: "8.0.1")
        update.files = [
            "\(main)/lib/old/x": "x\n", "\(main)/lib/old/deep/y": "y\n", "\(main)/top.dat": "top\n",
            "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n",
        ]
        return update
    }

    private var second: ExampleUpdate {
        var update = ExampleUpdate(version: "8.0.3", dependency: "8.0.2")
        update.delete = ["lib/a.dat", "lib/old", "never/there"]
        update.files = ["\(main)/new.dat": "new\n", "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n"]
        return update
    }

    private func apply(_ update: ExampleUpdate) throws -> Int32 {
        try update.pack(to: "\(host.root)/update.zip")
        try FileManager.default.copyItem(
            atPath: "\(host.root)/update.zip", toPath: "\(host.root)/spool/incoming/update.zip")
        let code = try host.once().code
        try FileManager.default.removeItem(atPath: "\(host.root)/update.zip")
        return code
    }

    @Test func `takes files and whole directories away, a rollback brings them back, a later update brings them again`()
        throws
    {
        chmod("\(host.root)/srv/SEED/lib/a.dat", 0o600)
        #expect(try apply(first) == 0)
        let before = try host.picture()
        #expect(try apply(second) == 0)
        for folder in host.folders {
            for gone in ["lib/a.dat", "lib/old", "never"] { #expect(!host.exists("srv/\(folder)/\(gone)"), "\(gone)") }
            #expect(host.exists("srv/\(folder)/lib") && host.exists("srv/\(folder)/new.dat"))
        }
        #expect(try host.job(2)["state"] as? String == "done")
        #expect(try host.run("patchctl", "verify").code == 0)
        let trace = try host.run("patchctl", "trace", "2", "SEED").output
        #expect(
            trace.contains("remove lib/old") && trace.contains("already up to date: remove never/there"), "\(trace)")
        #expect(try host.ask(#"{"command": "rollback", "job": 2}"#)["ok"] as? Bool == true)
        #expect(try host.picture() == before)
        var third = first
        third.version = "8.0.4"
        third.dependency = "8.0.2"
        #expect(try apply(second) == 0)
        #expect(try apply(third) == 0)
        #expect(try host.read("srv/SEED/lib/old/deep/y") == "y\n")
        #expect(try host.run("patchctl", "verify").code == 0)
    }

    @Test func `is shown by plan and lint, and touches nothing where a directory holds what is not patchd's`() throws {
        #expect(try apply(first) == 0)
        try host.write("mine\n", "srv/SEED/lib/old/deep/mine")
        try second.pack(to: "\(host.root)/second.zip")
        let plan = try host.run("patchctl", "plan", "\(host.root)/second.zip")
        #expect(plan.output.contains("remove lib/old\n"), "\(plan)")
        #expect(plan.output.contains("lib/old/deep/mine"), "\(plan)")
        let lint = try host.run("patchctl", "lint", "--json", "\(host.root)/second.zip")
        #expect(lint.code == 0 && lint.output.contains("\"never/there\""), "\(lint)")
        let before = try host.picture()
        #expect(try apply(second) == 1)
        let job = try host.job(2)
        #expect(job["code"] as? String == "exists")
        #expect((job["message"] as? String)?.contains("SEED: cannot remove the directory \"lib/old\"") == true)
        #expect(try host.picture() == before)
    }

    @Test func `and brings the same path is refused`() throws {
        var update = second
        update.delete = ["new.dat"]
        #expect(try apply(update) == 1)
        #expect(try host.json("spool/rejected/update.zip.reason.json")["code"] as? String == "manifestInvalid")
        update.delete = ["../PAIE"]
        #expect(try apply(update) == 1)
        #expect(try host.json("spool/rejected/update-2.zip.reason.json")["code"] as? String == "manifestInvalid")
    }
}
