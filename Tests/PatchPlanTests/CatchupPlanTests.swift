import Testing

@testable import PatchModel
@testable import PatchPlan

@Suite struct CatchupPlanTests {
    private let endpoint = Endpoint(
        name: "payroll", path: "/srv",
        folders: [
            Folder(name: "PAIE", parent: nil, path: "/srv/PAIE"),
            Folder(name: "PROD", parent: "PAIE", path: "/srv/PROD"),
            Folder(name: "PROD2", parent: "PROD", path: "/srv/PROD2"),
            Folder(name: "OLD", parent: "PAIE", path: "/srv/OLD", active: false),
        ])

    private func plan(_ folders: [String: (version: String, behind: Bool)]) -> CatchupPlan {
        var states: [String: FolderState] = [:]
        for (name, folder) in folders {
            states[name] = FolderState(
                endpoint: "payroll", folder: name, version: Version(folder.version), path: "/srv/\(name)",
                owner: "o", at: .now)
            states[name]?.behind = folder.behind
        }
        return CatchupPlan(endpoint: endpoint, states: states)
    }

    private func entry(_ job: Int, _ to: String, _ operation: UpdateOptions.Operation = .apply, undone: [Int]? = nil)
        -> HistoryEntry
    {
        HistoryEntry(
            job: job, operation: operation, update: "U", from: nil, to: Version(to), state: .done, at: .now,
            undone: undone)
    }

    @Test func `what the reference folder has and the folder lacks is replayed, oldest first`() throws {
        let plan = plan(["PAIE": ("3", false), "PROD": ("1", true)])
        #expect(try plan.source(for: "PROD") == "PAIE")
        let history = [
            entry(1, "1"), entry(2, "2"), entry(3, "9"), entry(4, "2", .rollback, undone: [3]), entry(5, "3"),
        ]
        #expect(try plan.jobs(for: "PROD", history: history) == [2, 5])
        #expect(try plan.jobs(for: "PROD", history: [entry(1, "1")]) == [])
    }

    @Test func `below a folder that is behind, the fault names the folder that catches up first`() throws {
        let plan = plan(["PAIE": ("2", false), "PROD": ("1", true), "PROD2": ("1", true)])
        let fault = #expect(throws: Fault.self) { try plan.jobs(for: "PROD2", history: []) }
        #expect(fault?.code == .dependency)
        #expect(
            fault?.message.contains("PROD, above it, is behind itself; first run: patchctl catchup payroll/PROD,")
                == true)
    }

    @Test func `the topmost folder that is behind comes first`() throws {
        let deeper = Endpoint(
            name: "payroll", path: "/srv",
            folders: endpoint.folders + [Folder(name: "LEAF", parent: "PROD2", path: "/srv/LEAF")])
        var states = [String: FolderState]()
        for name in ["PROD", "PROD2", "LEAF"] {
            states[name] = FolderState(
                endpoint: "payroll", folder: name, version: Version("1"), path: "", owner: "o", at: .now)
            states[name]?.behind = true
        }
        let fault = #expect(throws: Fault.self) {
            try CatchupPlan(endpoint: deeper, states: states).source(for: "LEAF")
        }
        #expect(
            fault?.message.contains("first run: patchctl catchup payroll/PROD,") == true, "\(String(describing: fault))"
        )
    }

    @Test func `below a folder that is in the middle of a job nothing can be said yet`() throws {
        var states = [
            "PAIE": FolderState(
                endpoint: "payroll", folder: "PAIE", version: Version("1"), path: "", owner: "o", at: .now)
        ]
        states["PAIE"]?.status = .failed
        states["PAIE"]?.job = 7
        let fault = #expect(throws: Fault.self) {
            try CatchupPlan(endpoint: endpoint, states: states).source(for: "PROD")
        }
        #expect(fault?.code == .dependency && fault?.message.contains("failed (job 7)") == true)
    }

    @Test(arguments: ["PAIE", "OLD", "NONE"])
    func `the root, an inactive and an unknown folder have nothing to catch up with`(folder: String) throws {
        let fault = #expect(throws: Fault.self) { try plan([:]).source(for: folder) }
        #expect(fault?.code == .missing)
    }
}
