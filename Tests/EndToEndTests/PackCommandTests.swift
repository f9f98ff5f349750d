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
        #expect(try host.run("patchctl", "submit", "\(host.root)/other.zip").code == 0)
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
}
