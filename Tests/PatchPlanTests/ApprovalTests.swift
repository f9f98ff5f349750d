import PatchModel
import PatchPlan
import Testing

@Suite struct `What an approval binds to` {
    private func plan(_ change: (inout EndpointPlan) -> Void = { _ in }) throws -> EndpointPlan {
        var plan = try Planner(
            update: Tree.update(), endpoint: Tree.endpoint(), states: [:], options: UpdateOptions()
        ).plan()
        change(&plan)
        return plan
    }

    private func text(_ plan: EndpointPlan, _ options: UpdateOptions = UpdateOptions(), sha256: String = "a") throws
        -> [UInt8]
    {
        try plan.approvalText(sha256: sha256, options: options)
    }

    @Test func `is archive, options and what is done`() throws {
        let own = try text(plan())
        #expect(try text(plan()) == own)
        #expect(try text(plan(), sha256: "b") != own)
        #expect(try text(plan(), UpdateOptions(exclude: ["SEED"])) != own)
        #expect(try text(plan { $0.folders[1].from = Version("8.0.0") }) != own)
        #expect(try text(plan { $0.folders[0].steps.removeLast() }) != own)
    }

    @Test func `is not what was seen of the host, nor what the archive's sum covers`() throws {
        let own = try text(plan())
        let seen = try plan { plan in
            plan.warnings.append("low on space")
            plan.folders[0].steps[0].statements = ["SELECT 1"]
        }
        #expect(try text(seen) == own)
        #expect(PlanDifference.lines(from: try plan(), to: try plan()).isEmpty)
    }

    @Test func `is told apart, folder by folder`() throws {
        let other = try plan { plan in
            plan.folders[0].state = .upToDate
            plan.folders[1].from = Version("8.0.0")
            plan.folders[1].steps.removeLast()
            plan.folders.removeLast()
        }
        let lines = PlanDifference.lines(from: try plan(), to: other)
        #expect(lines.count == 3, "\(lines)")
        #expect(lines[0] == "PAIE: upToDate instead of pending")
        #expect(lines[1].contains("8.0.0 to 8.0.2 instead of 8.0.1 to 8.0.2, no more "), "\(lines)")
        #expect(lines[2] == "SEEDPROD2 is gone")
    }

    @Test func `may have options in place of some of the job's`() throws {
        let own = UpdateOptions(exclude: ["SEED"], patches: ["A": true, "B": true])
        func changed(_ text: String) throws -> UpdateOptions {
            try own.changed(by: JSONReader(strictJSON: Array(text.utf8), file: "o", refusedAs: .optionsInvalid))
        }
        #expect(try changed("{}") == own)
        #expect(try changed(#"{"patches":{"B":false},"force":true}"#).patches == ["A": true, "B": false])
        #expect(try changed(#"{"exclude":[]}"#).exclude == [])
        #expect(try changed(#"{"only":["SEED2"]}"#).exclude == ["SEED"])
        for text in [#"{"operation":"test"}"#, #"{"endpoints":["payroll"]}"#, #"{"exlude":[]}"#, "[]"] {
            #expect(throws: Refusal.self) { try changed(text) }
        }
    }
}
