import Foundation
import PatchFiles
import Support
import Testing

@Suite struct `An update that is fetched` {
    private let site: VendorSite
    /// 8.0.3: half of its forty files are those of 8.0.2.
    private let next = ExampleUpdate(version: "8.0.3", dependency: "8.0.2", seeds: Array(1...20) + Array(121...140))
    private let archive = "X3V8_P2-8.0.3.zip"

    init() throws { site = try VendorSite() }

    /// Brings 8.0.2 to the host, as an earlier job would have.
    ///
    /// - Parameter isPacked: whether both archives are `patchctl pack`'s.
    private func prepare(isPacked: Bool = false) throws {
        let first = ExampleUpdate(version: "8.0.2", dependency: "8.0.1", seeds: Array(1...40))
        for update in [first, next] {
            try site.add(update)
            if isPacked { try repack("\(update.name)-\(update.version).zip") }
        }
        for suffix in [".zip.sig", ".zip"] {
            try FileManager.default.copyItem(
                atPath: site.path("X3V8_P2-8.0.2\(suffix)"), toPath: "\(site.host.root)/spool/incoming/first\(suffix)")
        }
        try #require(try site.host.once().code == 0)
        try site.publish([site.entry(next)])
    }

    private func repack(_ name: String) throws {
        let path = site.path(name)
        try Command.tool("/usr/bin/unzip", "-q", path, "-d", "\(path).tree")
        unlink(path)
        let packed = try site.host.run("patchctl", "pack", "\(path).tree", "-o", path)
        try #require(packed.code == 0, "\(packed)")
        try FileManager.default.removeItem(atPath: "\(path).tree")
        try site.keys.sign(path, by: "vendor")
    }

    private func size() throws -> Int { Int(try File.open(site.path(archive)).status().size) }

    /// Bytes of the archive that the server has sent.
    private func sent() -> Int { requests().reduce(0) { $0 + $1.bytes } }

    private func requests() -> [(path: String, range: String, bytes: Int)] {
        site.server.requests().filter { $0.path == "/\(archive)" }
    }

    @Test func `becomes a job that waits for approval where the endpoint asks for it`() throws {
        try site.host.configure("payroll", settings: "approval: required\n")
        try site.publish(ExampleUpdate())
        let outcome = try site.check("--download", "--json")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(outcome.output.contains(#""file" : "X3V8_P2-8.0.2.zip""#), "\(outcome.output)")
        #expect(try site.dropped() == ["X3V8_P2-8.0.2.zip"])
        #expect(try site.parts() == [])
        // It is there already, also before the daemon has looked.
        #expect(try site.check("--download").code == 3)
        #expect(try site.host.once().code == 6)
        let job = try site.host.job(1)
        #expect(job["state"] as? String == "pendingApproval" && job["signer"] as? String == "vendor@acme", "\(job)")
        #expect(try site.check("--download").code == 3)
        try site.host.request(#"{"command":"approve","job":1}"#, as: "a.json")
        #expect(try site.host.once().code == 0)
        #expect(try site.host.read("srv/SEED/lib/a.dat") == "new a\n")
    }

    @Test func `comes by itself from the sources only that say so`() throws {
        try site.publish(ExampleUpdate())
        let listed = try site.check("--unattended")
        #expect(listed.code == 0 && listed.output.contains("8.0.2"), "\(listed)")
        #expect(try site.dropped() == [])
        try site.host.write(
            "sources: [{url: \"\(site.server.url)/index.json\", download: true}]\n", "etc/patchd.yaml")
        #expect(try site.check("--unattended").code == 0)
        #expect(try site.dropped() == ["X3V8_P2-8.0.2.zip"])
    }

    @Test(arguments: [false, true]) func `comes without what is here already, bit for bit`(isPacked: Bool) throws {
        try prepare(isPacked: isPacked)
        _ = requests()
        let outcome = try site.check("--download")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(site.isSame(archive))
        let requests = requests()
        let bytes = requests.reduce(0) { $0 + $1.bytes }
        // Twenty files of forty, the end, and what lies between.
        #expect(try bytes > size() / 3 && bytes < size() * 6 / 10, "\(bytes)")
        #expect(requests.count < 50, "\(requests.count)")
        #expect(try site.host.once().code == 0)
        #expect(try site.host.job(2)["state"] as? String == "done")
        #expect(try site.host.read("srv/SEED/data/39.dat") == next.files["X3V8_P2/FILPATCH/data/39.dat"])
    }

    @Test(arguments: ["noranges", "lies", "shifts", "replaces"])
    func `is fetched as a whole from a server whose parts are of no use`(behaviour: String) throws {
        try prepare()
        try site.server.behave(behaviour)
        _ = requests()
        let outcome = try site.check("--download")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(site.isSame(archive))
        #expect(requests().contains { $0.range == "-" && $0.bytes > 0 })
        #expect(try site.parts() == [])
    }

    @Test(arguments: [false, true]) func `goes on where it broke off, every 64 KiB`(inParts: Bool) throws {
        if inParts {
            try prepare()
        } else {
            try raise()
            try site.publish(next)
        }
        try site.server.behave("cut=65536")
        _ = requests()
        let outcome = try site.check("--download")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(site.isSame(archive))
        let requests = requests()
        #expect(requests.count > 5 && requests.allSatisfy { $0.bytes <= 65536 })
        #expect(try requests.reduce(0) { $0 + $1.bytes } <= size() + (64 << 10))
    }

    /// Has the folders at 8.0.2, without an archive that is kept.
    private func raise() throws {
        let path = "etc/endpoints.d/payroll.yaml"
        try site.host.write(site.host.read(path).replacingOccurrences(of: "8.0.1", with: "8.0.2"), path)
    }

    @Test func `that breaks off from a server without parts is given up`() throws {
        try raise()
        try site.publish(next)
        try site.server.behave("cut=65536 noranges")
        let outcome = try site.check("--download")
        #expect(outcome.code == 1 && outcome.errors.contains("breaks off"), "\(outcome)")
        #expect(requests().count < 8)
        #expect(try site.dropped() == [])
    }

    @Test func `from a server that hardly sends anything is left to the next run, which goes on`() throws {
        try raise()
        try site.publish(next)
        try site.host.write("speed-time = 1\n", "curl/.curlrc")
        let settings = ["CURL_HOME": "\(site.host.root)/curl"]
        try site.server.behave("stalls=/\(archive)")
        let slow = try site.check("--download", environment: settings)
        #expect(slow.code == 1 && slow.errors.contains("next run"), "\(slow)")
        #expect(try site.parts().count == 1)
        try site.server.behave("")
        _ = requests()
        #expect(try site.check("--download", environment: settings).code == 0)
        #expect(site.isSame(archive))
        #expect(requests().map(\.range) == ["bytes=1-"])
        #expect(try site.parts() == [])
    }

    static let wrong = ["longer", "shorter", "another", "endless", "no signature"]

    @Test(arguments: Self.wrong) func `is refused where it is not what the index announces`(kind: String) throws {
        try site.publish(ExampleUpdate())
        let name = "X3V8_P2-8.0.2.zip"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: site.path(name)))
        switch kind {
        case "longer": bytes.append(contentsOf: [UInt8](repeating: 0, count: 4 << 20))
        case "shorter": bytes.removeLast(10)
        case "another": bytes[100] ^= 1
        case "endless": try site.server.behave("grows=/\(name)")
        default: unlink(site.path(name + ".sig"))
        }
        try bytes.write(to: URL(fileURLWithPath: site.path(name)))
        let outcome = try site.check("--download")
        #expect(outcome.code == 4, "\(outcome)")
        #expect(outcome.errors.contains("X3V8_P2 8.0.2: "), "\(outcome.errors)")
        #expect(try site.dropped() == [] && site.parts() == [])
    }

    @Test func `of which a part came before it was replaced is fetched anew`() throws {
        try raise()
        try site.publish(next)
        // What came of an earlier one.
        try FileManager.default.createDirectory(
            atPath: "\(site.host.root)/state/sources", withIntermediateDirectories: true)
        let sum = try #require(site.entry(next)["sha256"] as? String)
        try site.host.write(String(repeating: "x", count: 100_000), "state/sources/\(sum).part")
        let outcome = try site.check("--download")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(site.isSame(archive))
        #expect(requests().map(\.range) == ["bytes=100000-", "-"])
    }

    @Test(arguments: [("http://localhost:1/", 4), ("file:///etc/hostname", 4), ("https://localhost:1/a.zip", 1)])
    func `is not fetched from where another scheme leads`(url: String, code: Int32) throws {
        try site.publish(ExampleUpdate())
        try site.server.behave("to=\(url)")
        let outcome = try site.check("--download")
        #expect(outcome.code == code, "\(outcome)")
        #expect(try site.dropped() == [])
    }

    @Test func `has to have room`() throws {
        // As large as the limits allow, which no disk here has.
        try site.add(ExampleUpdate())
        try site.host.write(
            "sources: [\"\(site.server.url)/index.json\"]\nlimits: {unpacked: 4096TiB}\n", "etc/patchd.yaml")
        try site.publish([site.entry(ExampleUpdate()).merging(["size": 1 << 50]) { $1 }])
        let outcome = try site.check("--download")
        #expect(outcome.code == 1 && outcome.errors.contains("are free in"), "\(outcome)")
        #expect(!site.server.requests().contains { $0.path.hasSuffix(".zip") })
    }
}
