import PatchModel
import PatchPlan
import Testing

struct OptionsCheckTests {
    @Test(arguments: [
        UpdateOptions(),
        UpdateOptions(
            endpoints: ["payroll"], exclude: ["SEED"], only: ["PAIE"], patches: ["BIS": false, "MAIN": true]),
        UpdateOptions(only: ["OLD"]),
    ])
    func `Options that fit pass`(_ options: UpdateOptions) throws {
        try OptionsCheck.check(options, against: Tree.manifest(), endpoints: [Tree.endpoint()])
    }

    @Test(arguments: [
        (UpdateOptions(endpoints: ["payrol"]), "payroll"), (UpdateOptions(exclude: ["SEEED"]), "SEED"),
        (UpdateOptions(only: ["seed"]), "SEED"),
        (UpdateOptions(patches: ["BISS": true]), "BIS"), (UpdateOptions(patches: ["MAIN": false]), "mandatory"),
        (UpdateOptions(exclude: ["SEED"], only: ["SEED"]), "SEED"),
    ])
    func `Options that do not are refused, with a hint`(_ options: UpdateOptions, _ hint: String) throws {
        let (manifest, endpoint) = (try Tree.manifest(), try Tree.endpoint())
        let refusal = #expect(throws: Refusal.self) {
            try OptionsCheck.check(options, against: manifest, endpoints: [endpoint])
        }
        #expect(refusal?.code == .optionsInvalid)
        #expect(refusal?.reason.contains(hint) == true, "\(String(describing: refusal))")
    }

    @Test func `A folder that one of several endpoints has is known`() throws {
        var other = try Tree.endpoint()
        other.name = "other"
        other.folders = [Folder(name: "ROOT", parent: nil, path: "/x")]
        let options = UpdateOptions(exclude: ["SEED"])
        try OptionsCheck.check(options, against: Tree.manifest(), endpoints: [Tree.endpoint(), other])
        let manifest = try Tree.manifest()
        #expect(throws: Refusal.self) { try OptionsCheck.check(options, against: manifest, endpoints: [other]) }
    }
}

struct AcceptanceTests {
    private func endpoint(_ name: String, _ accepts: [String]?) throws -> Endpoint {
        var endpoint = try Tree.endpoint()
        endpoint.name = name
        endpoint.accepts = accepts
        return endpoint
    }

    @Test(
        arguments: [
            (["X3V8_*"], nil, 2, true), (["X3V7_*"], nil, 2, false), (["a", "X3*"], nil, 2, true), ([], nil, 1, false),
            (nil, nil, 1, true),
            (nil, nil, 2, false), (["*"], ["pay*"], 2, true), (["*"], ["hr"], 2, false), (nil, ["hr"], 1, false),
            (["*"], ["hr", "payroll"], 1, true),
        ] as [([String]?, [String]?, Int, Bool)])
    func `Both sides have to want it`(_ accepts: [String]?, _ endpoints: [String]?, _ count: Int, _ expected: Bool)
        throws
    {
        var manifest = try Tree.manifest()
        manifest.endpoints = endpoints
        #expect(
            Acceptance.accepts(manifest, endpoint: try endpoint("payroll", accepts), endpointCount: count) == expected)
    }

    @Test func `Jobs go to those that accept, or to those that are named`() throws {
        let all = [try endpoint("a", ["X*"]), try endpoint("b", ["X*"]), try endpoint("c", ["Y*"])]
        let manifest = try Tree.manifest()
        func names(_ endpoints: [String]?, _ all: [Endpoint]) throws(Refusal) -> [String] {
            try Acceptance.endpoints(for: manifest, options: UpdateOptions(endpoints: endpoints), among: all).map(
                \.name)
        }
        #expect(try names(nil, all) == ["a", "b"])
        #expect(try names(["b"], all) == ["b"])
        #expect(#expect(throws: Refusal.self) { try names(["c"], all) }?.code == .notAccepted)
        #expect(#expect(throws: Refusal.self) { try names(["b", "d"], all) }?.code == .optionsInvalid)
        #expect(#expect(throws: Refusal.self) { try names(nil, [all[2]]) }?.code == .notAccepted)
    }
}

struct ReadinessTests {
    private func queued(_ label: String, _ version: String, needs dependency: String, _ updates: [String: String?])
        throws -> QueuedUpdate
    {
        QueuedUpdate(
            label: label, version: try Tree.version(version), dependency: try Tree.version(dependency),
            updates: updates.mapValues { $0.flatMap { Version($0) } })
    }

    @Test func `8.0.3 and 8.0.2 dropped in any order are both applied`() throws {
        let now: [String: String?] = ["PAIE": "8.0.1", "SEED": "8.0.1"]
        let second = try queued("job 1", "8.0.3", needs: "8.0.2", now)
        let first = try queued("job 2", "8.0.2", needs: "8.0.1", now)
        #expect(second.readiness(among: [first]) == .waits(for: "job 2"))
        #expect(first.readiness(among: [second]) == .ready)
        let afterwards = try queued("job 1", "8.0.3", needs: "8.0.2", ["PAIE": "8.0.2", "SEED": "8.0.2"])
        #expect(afterwards.readiness(among: []) == .ready)
    }

    @Test func `A chain is followed from its beginning`() throws {
        let now: [String: String?] = ["PAIE": "8.0.1"]
        let jobs = [
            try queued("job 3", "8.0.4", needs: "8.0.3", now), try queued("job 2", "8.0.3", needs: "8.0.2", now),
            try queued("job 1", "8.0.2", needs: "8.0.1", now),
        ]
        #expect(jobs[0].readiness(among: [jobs[1], jobs[2]]) == .waits(for: "job 1"))
        #expect(jobs[1].readiness(among: [jobs[0], jobs[2]]) == .waits(for: "job 1"))
    }

    @Test func `A job waits while no folder has the dependency, whoever may bring it`() throws {
        let job = try queued("job 1", "8.0.3", needs: "8.0.2", ["PAIE": "8.0.1", "SEED": nil])
        #expect(job.readiness(among: []) == .waits(for: "version 8.0.2: PAIE has 8.0.1, SEED has no known version"))
        let later = try queued("job 2", "8.0.4", needs: "8.0.3", ["PAIE": "8.0.1"])
        #expect(
            job.readiness(among: [later]) == .waits(for: "version 8.0.2: PAIE has 8.0.1, SEED has no known version"))
    }

    @Test func `A job waits for no update where no version is known at all`() throws {
        let job = try queued("job 1", "8.0.3", needs: "8.0.2", ["PAIE": nil, "SEED": nil])
        #expect(job.readiness(among: []) == .ready)
        #expect(job.readiness(among: [try queued("job 2", "8.0.2", needs: "8.0.1", ["PAIE": nil])]) == .ready)
    }

    @Test func `Where some have it, it waits only for what would bring it to the others`() throws {
        let job = try queued("job 1", "8.0.3", needs: "8.0.2", ["PAIE": "8.0.2", "SEED": "8.0.1"])
        #expect(job.readiness(among: []) == .ready)
        #expect(
            job.readiness(among: [try queued("job 2", "8.0.2", needs: "8.0.1", ["SEED": "8.0.1"])])
                == .waits(for: "job 2"))
        #expect(job.readiness(among: [try queued("job 2", "8.0.2", needs: "8.0.1", ["SEED2": "8.0.1"])]) == .ready)
        #expect(job.readiness(among: [try queued("job 2", "8.0.2", needs: "8.0.2~", ["SEED": "8.0.1"])]) == .ready)
    }

    @Test func `Nothing to raise, or everything there, is ready`() throws {
        #expect(try queued("job 1", "3", needs: "2", [:]).readiness(among: []) == .ready)
        #expect(try queued("job 1", "3", needs: "2", ["A": "2", "B": "2.5"]).readiness(among: []) == .ready)
    }

    @Test func `No two jobs wait for each other`() throws {
        let versions = ["1", "2", "3", "4", "5"]
        var checked = 0
        for a in versions {
            for b in versions {
                let now: [String: String?] = ["F": a, "G": b]
                for (x, y) in [("2", "5"), ("3", "4"), ("4", "5"), ("1", "2")] {
                    let left = try queued(
                        "left", y, needs: x, now.filter { $0.value.map { Int($0) ?? 0 < Int(y) ?? 0 } ?? false })
                    for (u, v) in [("3", "4"), ("2", "3"), ("1", "5"), ("2", "5")] {
                        let right = try queued(
                            "right", v, needs: u, now.filter { $0.value.map { Int($0) ?? 0 < Int(v) ?? 0 } ?? false })
                        checked += 1
                        #expect(
                            left.readiness(among: [right]) != .waits(for: "right")
                                || right.readiness(among: [left]) != .waits(for: "left"))
                    }
                }
            }
        }
        #expect(checked == 400)
    }

    @Test func `A plan gives what the queue needs`() throws {
        let plan = try Planner(
            update: Tree.update(), endpoint: Tree.endpoint(["SEED": "8.0.2"]), states: [:],
            options: UpdateOptions(exclude: ["SEEDPROD"])
        ).plan()
        let queued = QueuedUpdate(label: "job 1", manifest: try Tree.manifest(), plan: plan)
        #expect(queued.updates == ["PAIE": Version("8.0.1"), "SEED2": Version("8.0.1")])
        #expect(queued.readiness(among: []) == .ready)
    }
}
