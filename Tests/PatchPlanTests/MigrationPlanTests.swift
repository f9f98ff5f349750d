import PatchModel
import PatchPlan
import Testing

/// Which migrations a plan has, from what the database says.
@Suite struct `The migrations of a patch` {
    static let names = [
        "M/migrations/10_d.sql", "M/migrations/0002_b.up.sql", "M/migrations/0001_a.sql",
        "M/migrations/0002_b.down.sql",
        "M/migrations/0001_a.down.sql", "M/migrations/V3__c.sql", "M/upgrades/8.0.2.sql", "M/downgrades/8.0.2.sql",
        "M/conf/x",
    ]

    private func planner(
        _ names: [String] = names, done: [String]?, mark: String? = nil, changed: [String] = [], anyOrder: Bool = false,
        unasked: String? = nil, database: Bool = true
    ) throws -> Planner {
        var endpoint = try Tree.endpoint()
        endpoint.folders = endpoint.folders.filter { $0.name == "PAIE" }
        if database { endpoint.folders[0].database = try DatabaseReference("sqlite:app.db") }
        let manifest = try Tree.manifest([
            Patch(name: "MAIN", type: "$ROOT", mandatory: true, path: "M", outOfOrder: anyOrder)
        ])
        var keys = try (done ?? []).map { StepKey(migration: try #require(MigrationName($0)), in: "$ROOT") }
        if let mark { keys.append(StepKey(markingUpTo: try #require(MigrationName(mark)))) }
        var records = MigrationRecords(keys)
        records.changed = changed.map { .init(sequence: "$ROOT", name: $0) }
        let facts = try FolderFacts(migrations: done == nil ? nil : records, unasked: unasked)
        return Planner(
            update: try Tree.update(names, manifest), endpoint: endpoint, states: [:], options: UpdateOptions(),
            facts: ["PAIE": facts])
    }

    private func plan(
        _ names: [String] = names, done: [String]?, mark: String? = nil, changed: [String] = [], anyOrder: Bool = false,
        unasked: String? = nil, database: Bool = true
    ) throws -> (steps: [String], back: [String], faults: [Fault], warnings: [String]) {
        let plan = try planner(
            names, done: done, mark: mark, changed: changed, anyOrder: anyOrder, unasked: unasked, database: database
        ).plan()
        let folder = try plan.folder("PAIE")
        return (
            folder.steps.filter { $0.kind == .script }.map(\.path), folder.downgrades.map(\.path), plan.faults,
            plan.warnings
        )
    }

    @Test func `run by number after the upgrades, and go back in reverse before the downgrades`() throws {
        let found = try plan(done: [])
        #expect(
            found.steps == [
                "8.0.2.sql", "migrations/0001_a.sql", "migrations/0002_b.up.sql", "migrations/V3__c.sql",
                "migrations/10_d.sql",
            ])
        #expect(found.back == ["migrations/0002_b.down.sql", "migrations/0001_a.down.sql", "8.0.2.sql"])
        #expect(found.faults == [] && found.warnings == [])
        #expect(try planner(done: []).plan().folder("PAIE").steps.allSatisfy { $0.path != "migrations" })
    }

    @Test func `that the database has a record of are left out, with their ways back`() throws {
        let found = try plan(done: ["0001_a", "0002_b"])
        #expect(found.steps == ["8.0.2.sql", "migrations/V3__c.sql", "migrations/10_d.sql"])
        #expect(found.back == ["8.0.2.sql"] && found.faults == [])
    }

    @Test func `up to a mark count as done`() throws {
        #expect(try plan(done: [], mark: "3_other").steps == ["8.0.2.sql", "migrations/10_d.sql"])
    }

    @Test func `whose number is passed or used are a fault, unless the patch allows it`() throws {
        let passed = try plan(done: ["0002_b", "V3__c"])
        #expect(passed.faults.map(\.code) == [.sql])
        #expect(passed.faults.first?.message.contains("0001_a.sql has the number 1, and V3__c.sql has run") == true)
        let used = try plan(done: ["0001_other"])
        #expect(used.faults.map(\.code) == [.sql])
        #expect(used.faults.first?.message.contains("0001_a.sql has the number 1 of 0001_other.sql") == true)
        let twice = Self.names + ["M/migrations/010_e.sql"]
        #expect(try plan(twice, done: []).faults.map(\.code) == [.sql, .sql])
        #expect(try plan(twice, done: [], mark: "10").faults == [], "what is done does no harm")
        for (names, done) in [(Self.names, ["0002_b", "V3__c"]), (Self.names, ["0001_other"]), (twice, [])] {
            #expect(try plan(names, done: done, anyOrder: true).faults == [])
        }
    }

    @Test func `that were changed are named, and not run again`() throws {
        let found = try plan(done: ["0001_a", "0002_b"], changed: ["0002_b"])
        #expect(found.warnings.count == 1 && found.warnings[0].contains("migrations/0002_b.up.sql"))
        #expect(!found.steps.contains("migrations/0002_b.up.sql"))
    }

    @Test func `are all listed where the database cannot be asked, and that is said`() throws {
        let found = try plan(done: nil, unasked: "it is locked")
        #expect(found.steps.count == 5 && found.warnings.count == 1 && found.warnings[0].contains("it is locked"))
        #expect(try plan(done: nil, database: false).steps.count == 5)
    }

    @Test func `are asked for, and only where there is a database`() throws {
        let questions = try planner(done: nil).questions()
        #expect(
            questions.first?.plan.steps.map(\.path) == [
                "migrations/0001_a.sql", "migrations/0002_b.up.sql", "migrations/V3__c.sql", "migrations/10_d.sql",
            ])
        #expect(try planner(done: nil, database: false).questions().isEmpty)
    }

    @Test func `have a key without update and version, and survive in a plan's lines`() throws {
        let plan = try planner(done: []).plan().folder("PAIE")
        let step = try #require(plan.steps.last)
        #expect(
            StepKey(update: "U", version: plan.to, step: step)
                == StepKey(update: "", patch: "$ROOT", script: "10_d.sql"))
        #expect(step.scriptKind == .sql && step.scriptVersion == nil && step.isInDatabase)
        var reader = PlanReader()
        try PlanLines.write(plan) { try reader.take($0.dropLast()) }
        #expect(try reader.plan() == plan)
        let overview = FolderOverview(plan)
        #expect(overview.scripts(of: "U").last?.key.migration?.description == "10_d")
    }

    @Test func `are undone where the job ran them, and only there`() throws {
        let plan = try planner(done: []).plan().folder("PAIE")
        let number = { (path: String) in try #require(plan.steps.firstIndex { $0.path == path }) }
        let ran = [try number("8.0.2.sql"), try number("migrations/0002_b.up.sql")]
        let slots = (plan.steps.count..<(plan.steps.count + plan.downgrades.count)).map {
            StepSlot(step: $0, inode: 1, replaces: nil, place: "")
        }
        let job = UndoneJob(
            job: 1, update: "U", plan: plan, isPrepared: true, isDone: true, ran: ran, slots: slots)
        let back = job.parts.compactMap { part in
            if case .downgrade(let number) = part { plan.step(number)?.path } else { nil }
        }
        #expect(back == ["migrations/0002_b.down.sql", "8.0.2.sql"])
        #expect(job.irreversible.isEmpty)
        #expect(job.stepKeys.compactMap(\.migration).map(\.description) == ["0002_b"])
        var other = job
        other.ran = [try number("migrations/V3__c.sql")]
        #expect(other.irreversible.map(\.path) == ["migrations/V3__c.sql"])
        #expect(other.irreversible.first?.whyIrreversible.contains("V3__c.down.sql") == true)
    }
}
