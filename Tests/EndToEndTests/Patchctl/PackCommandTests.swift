import Foundation
import Support
import Testing

@Suite struct `patchctl pack` {
    let host: Installation
    private var source: String { "\(host.root)/source" }

    init() throws {
        host = try Installation()
        let update = ExampleUpdate()
        try update.pack(to: "\(host.root)/update.zip")
        try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
        let unpacked = try Installation.run("/usr/bin/bsdtar", ["-xf", "../update.zip"], in: source)
        try #require(unpacked.code == 0, "\(unpacked.errors)")
    }

    private func pack(_ arguments: String...) throws -> Installation.Outcome {
        try Installation.run(host.program("patchctl"), host.placed(["pack"] + arguments), in: host.root)
    }

    @Test func `makes an archive that is called as its update, and that the daemon takes`() throws {
        let packed = try pack("source")
        #expect(packed.code == 0 && packed.output == "X3V8_P2-8.0.2.zip\n", "\(packed.errors)")
        let first = try Data(contentsOf: URL(fileURLWithPath: "\(host.root)/X3V8_P2-8.0.2.zip"))
        #expect(try pack("source/", "-o", "\(host.root)/other.zip").output == "\(host.root)/other.zip\n")
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(host.root)/other.zip")) == first)
        #expect(try host.run("patchctl", "submit", "\(host.root)/other.zip").code == 69)
        #expect(try host.once().code == 0)
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.2")
    }

    @Test func `leaves nothing behind where it would be refused, and keeps what had the name`() throws {
        try host.write("keep\n", "out.zip")
        try host.write("{\"name\": \"X\"}", "source/update.json")
        let packed = try pack("source", "--output", "out.zip")
        #expect(packed.code == 4 && packed.errors.contains("manifestInvalid"), "\(packed.errors)")
        symlink("/etc/passwd", "\(source)/X3V8_P2/FILPATCH/link")
        let linked = try pack("source", "-o", "out.zip")
        #expect(linked.code == 4 && linked.errors.contains("entryType") && linked.errors.contains("link"))
        #expect(try host.read("out.zip") == "keep\n")
        let names = try FileManager.default.contentsOfDirectory(atPath: host.root)
        #expect(names.filter { $0.hasPrefix(".") } == [])
    }

    @Test(arguments: [
        ["source", "-o", "source/x.zip"], ["source", "-o", "source/X3V8_P2/x.zip"], ["."], ["source", "-o", "."],
    ])
    func `does not write into the directory that it packs`(arguments: [String]) throws {
        let before = try host.picture()
        let packed = try Installation.run(host.program("patchctl"), host.placed(["pack"] + arguments), in: host.root)
        #expect(packed.code == 2, "\(packed.errors)")
        #expect(try host.picture() == before)
    }

    @Test func `tells what is not there`() throws {
        let packed = try pack("nowhere")
        #expect(packed.code == 1 && packed.errors.contains("nowhere"), "\(packed.errors)")
    }

    @Test func `makes an update of a plain tree, and init one to begin with`() throws {
        try host.write("tool\n", "tree/bin/tool")
        try host.write("x\n", "tree/lib/a.dat")
        let tree = ["tree", "--name", "PLAIN", "--version", "8.0.2", "--dependency", "8.0.1"]
        let packed = try Installation.run(host.program("patchctl"), host.placed(["pack"] + tree), in: host.root)
        #expect(packed.code == 0 && packed.output == "PLAIN-8.0.2.zip\n", "\(packed)")
        let list = try Installation.run("/usr/bin/bsdtar", ["-tf", "\(host.root)/PLAIN-8.0.2.zip"]).output
        #expect(list.contains("update.json\n") && list.contains("PLAIN/bin/tool\n"), "\(list)")
        #expect(try host.run("patchctl", "lint", "\(host.root)/PLAIN-8.0.2.zip").code == 0)
        for bad in [
            ["--name", "PLAIN"], ["--name", "P/L", "--version", "2", "--dependency", "1"],
            ["--name", "P", "--version", "1", "--dependency", "1"],
        ] {
            #expect(
                try Installation.run(host.program("patchctl"), host.placed(["pack", "tree"] + bad), in: host.root).code
                    == 2)
        }
        let begun = try Installation.run(host.program("patchctl"), host.placed(["init", "NEW_P1"]), in: host.root)
        #expect(begun.code == 0, "\(begun)")
        try host.write("echo hello\n", "NEW_P1/NEW_P1/upgrades/1.0.1.sh")
        #expect(try pack("NEW_P1").output == "NEW_P1-1.0.1.zip\n")
        #expect(
            try Installation.run(host.program("patchctl"), host.placed(["init", "NEW_P1"]), in: host.root).code == 1)
    }

    /// A worker that says as whom it runs.
    @Test(
        .enabled(if: geteuid() == 0, "other users need root"),
        arguments: [
            ["lint", "update.zip"], ["plan", "update.zip"], ["pack", "source", "-o", "out.zip"],
        ])
    func `and lint and plan never read what others made as root`(arguments: [String]) throws {
        try FileManager.default.createDirectory(atPath: "\(host.root)/bin", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: host.program("patchctl"), toPath: "\(host.root)/bin/patchctl")
        try host.write(
            "#!/bin/sh\necho \"$(id -u) $1\" >>\(host.root)/seen/users\nexec \(host.program("patchd-worker")) \"$@\"\n",
            "bin/patchd-worker")
        try host.write("", "seen/users")
        chmod("\(host.root)/bin/patchd-worker", 0o755)
        chmod("\(host.root)/seen/users", 0o666)
        let outcome = try Installation.run(
            "\(host.root)/bin/patchctl", host.placed(arguments), in: host.root)
        #expect(outcome.code == 0, "\(outcome)")
        let users = try host.read("seen/users").split(separator: "\n")
        #expect(users.contains { $0.hasSuffix(" unpack") }, "\(users)")
        #expect(users.filter { ["0 unpack", "0 pack"].contains($0) } == [], "\(users)")
    }
}
