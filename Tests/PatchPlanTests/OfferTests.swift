import PatchModel
import PatchPlan
import Testing

@Suite struct `What a host has a use for` {
    private func update(_ version: String, after dependency: String, name: String = "A") throws -> IndexedUpdate {
        let url = try #require(SourceURL("https://h/\(name)-\(version).zip"))
        return IndexedUpdate(
            name: name, version: try #require(Version(version)), dependency: try #require(Version(dependency)), size: 1,
            sha256: "\(name)-\(version)", url: url, signature: url)
    }

    private func endpoint(_ name: String, accepts: [String]? = nil, inactive: Set<String> = []) -> Endpoint {
        var endpoint = Endpoint(name: name, path: "/srv/\(name)", folders: [])
        endpoint.accepts = accepts
        endpoint.folders = [("R", nil), ("S", "R")].map { folder, parent in
            var made = Folder(name: folder, parent: parent, path: folder)
            made.active = !inactive.contains(folder)
            return made
        }
        return endpoint
    }

    private func rule(_ versions: [String: String], accepts: [String]? = nil, inactive: Set<String> = []) throws
        -> OfferRule
    {
        OfferRule(
            endpoints: [endpoint("e", accepts: accepts, inactive: inactive)],
            versions: ["e": try versions.mapValues { try #require(Version($0)) }])
    }

    private func offered(_ rule: OfferRule, _ updates: IndexedUpdate...) -> [String] {
        rule.offers(among: updates).map(\.update.version.description)
    }

    @Test func `is what is above the version of some folder that has what it needs`() throws {
        let (two, three) = (try update("2", after: "1"), try update("3", after: "2"))
        #expect(offered(try rule(["R": "1", "S": "1"]), two) == ["2"])
        #expect(offered(try rule(["R": "2", "S": "1"]), two) == ["2"])
        #expect(offered(try rule(["R": "2", "S": "2"]), two) == [])
        #expect(offered(try rule(["R": "1", "S": "1"]), three) == [])
        #expect(offered(try rule(["R": "0.9", "S": "0.9"]), two) == [])
        // An inactive folder asks for nothing, and one without a version can get nothing.
        #expect(offered(try rule(["R": "2", "S": "1"], inactive: ["S"]), two) == [])
        #expect(offered(try rule([:]), two) == [])
    }

    @Test func `is what other updates lead to, those of jobs too, in the order in which they are applied`() throws {
        let updates = (try update("3", after: "2"), try update("2", after: "1"), try update("5", after: "4"))
        var rule = try rule(["R": "1", "S": "1"])
        #expect(offered(rule, updates.0, updates.1, updates.2) == ["2", "3"])
        rule.coming = ["e": [try #require(Version("4"))]]
        #expect(offered(rule, updates.2) == ["5"])
        rule.coming = [:]
        rule.known = [updates.1.sha256]
        #expect(offered(rule, updates.0, updates.1) == [])
    }

    @Test func `is what an endpoint accepts, and nothing unstable`() throws {
        var rule = try rule(["R": "1", "S": "1"], accepts: ["B*"])
        #expect(offered(rule, try update("2", after: "1")) == [])
        #expect(offered(rule, try update("2", after: "1", name: "BC")) == ["2"])
        rule.unstable.marks = [
            .init(update: "BC", version: try #require(Version("2.0")), by: "root", at: Timestamp(nanoseconds: 0))
        ]
        #expect(offered(rule, try update("2.0", after: "1", name: "BC")) == [])

        var two = try self.rule(["R": "1", "S": "1"])
        two.endpoints.append(endpoint("f", accepts: ["A"]))
        two.versions["f"] = two.versions["e"]
        // With two of them, one that says nothing takes nothing.
        #expect(two.offers(among: [try update("2", after: "1")]).map(\.endpoints) == [["f"]])
    }
}
