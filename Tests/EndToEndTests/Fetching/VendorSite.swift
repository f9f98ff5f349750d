import Foundation
import PatchFiles
import Support
import Testing

/// A vendor's archives, signed, with their index on a web server, and a host that looks there.
struct VendorSite {
    let host: Installation
    let keys: SigningKeys
    let server: WebServer

    init(settings: String = "", sources: String? = nil) throws {
        host = try Installation(settings: settings)
        keys = try SigningKeys(in: host.root)
        server = try WebServer(in: host.root)
        try keys.make("vendor")
        try host.write("vendor@acme \(keys.line("vendor"))\n", "etc/allowed_signers")
        try host.write("sources: [\(sources ?? "\"\(server.url)/index.json\"")]\n", "etc/patchd.yaml")
    }

    func path(_ name: String) -> String { "\(server.directory)/\(name)" }

    /// Puts an archive and its signature on the server.
    func add(_ update: ExampleUpdate) throws {
        let path = path("\(update.name)-\(update.version).zip")
        try? FileManager.default.removeItem(atPath: path)
        try update.pack(to: path)
        try keys.sign(path, by: "vendor")
    }

    /// What an index says of an archive that is on the server.
    func entry(_ update: ExampleUpdate) throws -> [String: Any] {
        let name = "\(update.name)-\(update.version).zip"
        let file = try File.open(path(name))
        return [
            "name": update.name, "version": update.version, "dependency": update.dependency,
            "size": Int(try file.status().size), "sha256": try file.sha256(), "url": name,
        ]
    }

    /// Replaces the index.
    func publish(_ entries: [[String: Any]], serial: Int = 1, by key: String? = "vendor") throws {
        let index: [String: Any] = ["schema": 1, "serial": serial, "updates": entries]
        try publish(try JSONSerialization.data(withJSONObject: index), by: key)
    }

    func publish(_ index: Data, by key: String? = "vendor") throws {
        try index.write(to: URL(fileURLWithPath: path("index.json")))
        unlink(path("index.json.sig"))
        if let key { try keys.sign(path("index.json"), by: key) }
    }

    /// Archives, and an index with all of them.
    func publish(_ updates: ExampleUpdate..., serial: Int = 1) throws {
        for update in updates { try add(update) }
        try publish(updates.map(entry), serial: serial)
    }

    /// `patchctl check-updates`.
    func check(_ arguments: String..., environment: [String: String] = [:]) throws -> Installation.Outcome {
        try Installation.run(
            host.program("patchctl"), host.placed(["check-updates"] + arguments),
            environment: server.environment.merging(environment) { $1 })
    }

    /// The names in the spool, without those of signatures.
    func dropped() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/incoming")
            .filter { !$0.hasSuffix(".sig") }.sorted()
    }

    /// What is kept between two runs, without indexes and the like.
    func parts() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/sources")
            .filter { $0.hasSuffix(".part") || $0.hasSuffix(".ranges") }
    }

    /// Whether an archive in the spool is the one on the server, bit for bit.
    func isSame(_ name: String) -> Bool {
        FileManager.default.contentsEqual(atPath: path(name), andPath: "\(host.root)/spool/incoming/\(name)")
    }
}

extension ExampleUpdate {
    /// An update of which each file is of 24 KiB that no packing makes much smaller.
    ///
    /// - Parameter seeds: by file, what its content follows from.
    init(version: String, dependency: String, seeds: [Int]) {
        self.init(version: version, dependency: dependency)
        for (number, seed) in seeds.enumerated() {
            var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
            var bytes = Data(capacity: 24 << 10)
            for _ in 0..<(24 << 10) / 8 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                withUnsafeBytes(of: state) { bytes.append(contentsOf: $0) }
            }
            files["X3V8_P2/FILPATCH/data/\(number).dat"] = bytes.base64EncodedString()
        }
    }
}
