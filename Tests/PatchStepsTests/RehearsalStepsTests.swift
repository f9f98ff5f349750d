import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `What is rehearsed of a plan` {
    /// A file, a script in SQL, a program, a handler's file, another script, rows, and hooks around them.
    private func plan() throws -> FolderPlan {
        func step(_ kind: PlannedStep.Kind, _ path: String) -> PlannedStep {
            PlannedStep(kind: kind, path: path, patch: "P", source: "P/\(path)")
        }
        return FolderPlan(
            folder: "SEED", parent: nil, path: "/srv/SEED", state: .pending, from: Version("1"),
            to: try #require(Version("2")),
            steps: [
                step(.hook, "before"), step(.file, "a"), step(.script, "1.1.sql"), step(.script, "1.1.sh"),
                step(.handler, "x.dat"), step(.script, "2.sql"), step(.rows, "TAXES"), step(.hook, "validate"),
            ])
    }

    private func steps(
        equal: Set<Int> = [], database: String? = nil, programs: String? = nil, outreach: [Int: String] = [:]
    ) throws -> RehearsalSteps {
        try RehearsalSteps(plan(), equal: equal, database: database, programs: programs, outreach: outreach)
    }

    @Test func `is all but hooks and handlers, which are the admin's`() throws {
        let all = try steps()
        #expect(all.kept == [1, 2, 3, 5, 6] && all.firstOmitted == 4)
        #expect(all.omissions.map(\.script) == ["x.dat"])
        #expect(try steps(equal: [6]).kept == [1, 2, 3, 5])
    }

    @Test func `is the scripts in SQL and the rows where programs cannot run, without the files`() throws {
        let found = try steps(programs: "why")
        #expect(found.kept == [2, 5, 6] && found.firstOmitted == 3)
        #expect(found.omissions.first == .init(script: "upgrades/1.1.sh", reason: "why"))
    }

    @Test func `is nothing of the database where there is no copy, which is said once`() throws {
        let found = try steps(database: "none", programs: "why")
        #expect(found.kept.isEmpty && found.firstOmitted == 2)
        #expect(found.omissions.map(\.script) == ["", "upgrades/1.1.sh", "x.dat"])
    }

    @Test func `is no script that reaches beyond the copy`() throws {
        let found = try steps(outreach: [2: "why"])
        #expect(found.kept == [1, 3, 5, 6] && found.firstOmitted == 2)
        #expect(found.omissions.first?.reason == "why")
    }
}
