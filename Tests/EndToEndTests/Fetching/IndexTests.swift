import Foundation
import Support
import Testing

@Suite struct `An index of updates` {
    private let site: VendorSite

    init() throws { site = try VendorSite() }

    private func listed(_ outcome: Installation.Outcome) throws -> [String] {
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        return try #require(report["updates"] as? [[String: Any]]).compactMap { $0["version"] as? String }
    }

    @Test func `shows what fits, until it was here`() throws {
        var other = ExampleUpdate(version: "9", dependency: "1")
        other.name = "OTHER"
        try site.host.configure("payroll", settings: "accepts: [\"X3V8_*\"]\n")
        try site.publish(ExampleUpdate(), other)
        let first = try site.check("--json")
        #expect(first.code == 0, "\(first)")
        #expect(try listed(first) == ["8.0.2"])
        let text = try site.check().output
        #expect(text.contains("X3V8_P2") && text.contains("payroll") && !text.contains("OTHER"), "\(text)")
        #expect(try site.dropped() == [])

        try FileManager.default.copyItem(
            atPath: site.path("X3V8_P2-8.0.2.zip.sig"), toPath: "\(site.host.root)/spool/incoming/a.zip.sig")
        try FileManager.default.copyItem(
            atPath: site.path("X3V8_P2-8.0.2.zip"), toPath: "\(site.host.root)/spool/incoming/a.zip")
        #expect(try site.host.once().code == 0)
        let second = try site.check()
        #expect(second.code == 3 && second.output == "", "\(second)")
    }

    @Test func `shows what another update in it makes fit, but nothing that is marked or that nothing leads to`() throws
    {
        let updates = [
            ExampleUpdate(version: "8.0.4", dependency: "8.0.3"), ExampleUpdate(version: "8.0.2", dependency: "8.0.1"),
            ExampleUpdate(version: "8.0.3", dependency: "8.0.2"), ExampleUpdate(version: "8.0.1", dependency: "8.0.0"),
            ExampleUpdate(version: "9.1", dependency: "9.0"),
        ]
        for update in updates { try site.add(update) }
        try site.publish(updates.map(site.entry))
        #expect(try listed(site.check("--json")) == ["8.0.2", "8.0.3", "8.0.4"])

        try site.host.write(
            #"{"schema":1,"marks":[{"update":"X3V8_P2","version":"8.0.3","by":"root","at":"2026-11-21T10:15:00.123Z"}]}"#,
            "state/unstable.json")
        try site.host.once()
        #expect(try listed(site.check("--json")) == ["8.0.2"])
    }

    static let bad = [
        "no signature", "a stranger's", "changed", "no JSON", "two keys", "endless", "escape", "slash", "elsewhere",
        "backwards", "again", "sum", "negative", "too many", "another form",
    ]

    @Test(arguments: Self.bad) func `is refused where it is not to be believed, and nothing is fetched`(kind: String)
        throws
    {
        try site.keys.make("stranger")
        try site.add(ExampleUpdate())
        var entry = try site.entry(ExampleUpdate())
        try site.publish([entry], by: kind == "no signature" ? nil : kind == "a stranger's" ? "stranger" : "vendor")
        func publish(_ key: String, _ value: Any) throws {
            entry[key] = value
            try site.publish([entry])
        }
        switch kind {
        case "changed": try site.host.write(#"{"schema":1,"serial":7,"updates":[]}"#, "web/index.json")
        case "no JSON": try site.publish(Data("{".utf8))
        case "two keys": try site.publish(Data(#"{"schema":1,"serial":1,"serial":2,"updates":[]}"#.utf8))
        case "endless": try site.server.behave("grows=/index.json")
        case "escape": try publish("name", "X3V8_\u{1B}[31mP2")
        case "slash": try publish("name", "../X3V8_P2")
        case "elsewhere": try publish("url", "file:///etc/passwd")
        case "backwards": try publish("dependency", "8.0.3")
        case "again": try site.publish([entry, entry])
        case "sum": try publish("sha256", "\(entry["sha256"] as? String ?? "")".uppercased())
        case "negative": try publish("size", -1)
        case "too many":
            try site.publish((0...10_000).map { entry.merging(["version": "8.0.2.\($0)"]) { $1 } })
        case "another form": try site.publish(Data(#"{"schema":2,"serial":1,"updates":[]}"#.utf8))
        default: break
        }
        let outcome = try site.check("--download")
        #expect(outcome.code == 4, "\(outcome)")
        #expect(outcome.errors.contains("index"), "\(outcome.errors)")
        #expect(!outcome.errors.contains("\u{1B}"))
        #expect(try site.dropped() == [])
        #expect(!site.server.requests().contains { $0.path.hasSuffix(".zip") })
    }

    @Test func `never goes back, and says under one serial one thing only`() throws {
        try site.publish(ExampleUpdate(), serial: 5)
        #expect(try site.check().code == 0)
        try site.publish(ExampleUpdate(), serial: 4)
        let older = try site.check()
        #expect(older.code == 4 && older.errors.contains("older"), "\(older)")
        try site.publish([], serial: 5)
        let other = try site.check()
        #expect(other.code == 4 && other.errors.contains("serial 5"), "\(other)")
        try site.publish(ExampleUpdate(), serial: 6)
        #expect(try site.check().code == 0)
        // What was seen before is damaged: it does not count as nothing.
        let kept = try FileManager.default.contentsOfDirectory(atPath: "\(site.host.root)/state/sources")
            .filter { $0.hasSuffix(".index") }
        try #require(kept.count == 1)
        try site.host.write("{", "state/sources/\(kept[0])")
        let damaged = try site.check()
        #expect(damaged.code == 1 && damaged.errors.contains("remove it"), "\(damaged)")
    }

    @Test func `without a signature counts where this host asks for none`() throws {
        unlink("\(site.host.root)/etc/allowed_signers")
        try site.add(ExampleUpdate())
        unlink(site.path("X3V8_P2-8.0.2.zip.sig"))
        try site.publish([site.entry(ExampleUpdate())], by: nil)
        let outcome = try site.check("--download")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(try site.host.once().code == 0)
        #expect(try site.host.job(1)["state"] as? String == "done")
    }

    @Test func `of an update that no host could take is left out, and said`() throws {
        try site.add(ExampleUpdate())
        try site.publish([site.entry(ExampleUpdate()).merging(["size": 1 << 40]) { $1 }])
        let outcome = try site.check("--download")
        #expect(outcome.code == 3 && outcome.errors.contains("1099511627776 bytes"), "\(outcome)")
        #expect(!site.server.requests().contains { $0.path.hasSuffix(".zip") })
    }

    @Test func `is believed from a server only whose certificate curl believes, and one that fails hides no other`()
        throws
    {
        try site.publish(ExampleUpdate())
        let stranger = try site.check(environment: ["CURL_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt"])
        #expect(stranger.code == 1 && stranger.errors.contains("certificate"), "\(stranger)")
        try site.host.write(
            "sources: [\"https://localhost:1/index.json\", {url: \"\(site.server.url)/index.json\"}]\n",
            "etc/patchd.yaml")
        let outcome = try site.check("--json")
        #expect(outcome.code == 1, "\(outcome)")
        #expect(try listed(outcome) == ["8.0.2"])
    }

    @Test func `may be a file`() throws {
        try site.publish(ExampleUpdate())
        try site.host.write("sources: [\"file://\(site.server.directory)/index.json\"]\n", "etc/patchd.yaml")
        let outcome = try site.check("--download")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(try site.dropped() == ["X3V8_P2-8.0.2.zip"])
        #expect(site.isSame("X3V8_P2-8.0.2.zip"))
        try FileManager.default.removeItem(atPath: site.path("index.json.sig"))
        #expect(try site.check().code == 4)
    }

    @Test func `is nothing where the configuration names none`() throws {
        try site.host.write("sources: []\n", "etc/patchd.yaml")
        #expect(try site.check().code == 3)
    }
}
