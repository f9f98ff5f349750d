import PatchConfig
import PatchModel
import Testing

@Suite struct `A canary in the configuration` {
    private static let folders = """
          - {name: PAIE}
          - {name: SEED, parent: PAIE}
          - {name: OLD, parent: PAIE, active: false}
          - {name: OLDER, parent: OLD}
        """

    private func refused(_ line: String) throws -> String {
        let found = try problems(endpoint(line + "\n", folders: Self.folders))
        #expect(found.count == 1 && found[0].hasPrefix("endpoints.d/a.yaml:3:"), "\(found)")
        return found.first ?? ""
    }

    @Test func `is a list of folders, with a pause or an approval after it`() throws {
        let text = endpoint("canary: [SEED]\ncanaryPause: 2h\n", folders: Self.folders)
        let read = try load(["endpoints.d/a.yaml": text]).endpoints[0]
        #expect(read.canary == ["SEED"] && read.canaryPause == .seconds(7200))
        let approval = endpoint("canaryPause: approval\n", folders: Self.folders)
        #expect(try load(["endpoints.d/a.yaml": approval]).endpoints[0].canaryPause == .approval)
        let plain = try load(["endpoints.d/a.yaml": endpoint()]).endpoints[0]
        #expect(plain.canary == [] && plain.canaryPause == .seconds(0))
    }

    @Test func `names folders that there are, once`() throws {
        #expect(try refused("canary: [SEDE]").contains("no folder of this endpoint; did you mean \"SEED\"?"))
        #expect(try refused("canary: [SEED, SEED]").contains("given twice"))
        #expect(try refused("canary: SEED").contains("is a list"))
    }

    @Test(arguments: ["OLD", "OLDER"]) func `names active folders only`(name: String) throws {
        #expect(try refused("canary: [\(name)]").contains("inactive"))
    }

    @Test func `has a pause with a unit, or the one word`() throws {
        #expect(try refused("canaryPause: 1").contains("did you mean \"1s\"?"))
        #expect(try refused("canaryPause: aproval").contains("did you mean \"approval\"?"))
        #expect(try refused("canaryPause: 999d").contains("at most 365d"))
    }
}
