import PatchJSON
import PatchPlan
import Testing

@testable import PatchModel

@Suite struct `Which folders are locked` {
    private let tree: Endpoint

    init() throws { tree = try Tree.endpoint() }

    static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    private func job(
        _ number: Int, _ state: Job.State, _ folders: [String: FolderJob.State], rollback: Bool = false,
        locks: Bool = true
    ) throws -> Job {
        var job = Job(
            job: number, endpoint: "payroll", update: "X\(number)", version: try Tree.version("8.0.\(number)"),
            sha256: "",
            options: UpdateOptions(), claim: "", createdAt: Self.now, rollback: rollback ? RollbackTarget(job: 1) : nil)
        job.state = state
        job.folders = folders.mapValues {
            FolderJob(state: $0, message: $0 == .failed ? "exit 1" : "", progress: .init(total: 1))
        }
        if locks { (job.disconnectedAt, job.admittedAt, job.quiescedAt) = (Self.now, Self.now, Self.now) }
        return job
    }

    private func states(_ versions: [String: String] = [:], _ status: [String: FolderState.Status] = [:]) throws
        -> [String: FolderState]
    {
        var all: [String: FolderState] = [:]
        for folder in tree.folders.map(\.name) {
            let version = versions[folder]
            var state = try Tree.state(folder, version ?? "8.0.1", update: version == nil ? "" : "X")
            state.status = status[folder] ?? .current
            all[folder] = state
        }
        return all
    }

    private func phases(
        _ jobs: [Job], _ states: [String: FolderState], onFailure: Endpoint.OnFailure = .hold
    ) -> [String: String] {
        var endpoint = tree
        endpoint.onFailure = onFailure
        return WantedDowntime(endpoint: endpoint, jobs: jobs, states: states).locks.mapValues(\.phase.rawValue)
    }

    @Test func `none, while no job came to its locks and none is behind`() throws {
        #expect(try phases([], states()) == [:])
        #expect(try phases([job(2, .running, ["PAIE": .pending], locks: false)], states()) == [:])
        #expect(try phases([job(2, .done, ["PAIE": .done])], states()) == [:])
    }

    @Test func `all that a job changes, and all below, also what it leaves out`() throws {
        let found = try phases(
            [job(2, .running, ["PAIE": .running, "SEED": .pending, "SEEDPROD": .excluded])], states())
        #expect(found == Dictionary(uniqueKeysWithValues: tree.activeFolders.map { ($0.name, "updating") }))
    }

    @Test func `those of every job that holds, whichever is asked about`() throws {
        // 8.0.3 failed in the root; then the rollback of a folder below it failed too.
        let jobs = [
            try job(2, .failed, ["PAIE": .failed, "SEED": .blocked, "SEED2": .blocked]),
            try job(3, .failed, ["SEED2": .failed], rollback: true),
        ]
        for order in [jobs, jobs.reversed()] {
            let found = try phases(order, states(["SEED2": "8.0.2"], ["PAIE": .failed, "SEED2": .failed]))
            #expect(found["PAIE"] == "failed" && found["SEED"] == "blocked" && found["SEED2"] == "failed")
            #expect(Set(found.keys) == Set(tree.activeFolders.map(\.name)))
        }
    }

    @Test func `a folder that is changed shows that, though another job failed in it or above it`() throws {
        let failed = try job(2, .failed, ["PAIE": .failed, "SEED": .blocked])
        let rollback = try job(3, .running, ["PAIE": .pending], rollback: true)
        let found = try phases([failed, rollback], states([:], ["PAIE": .failed]))
        #expect(found["PAIE"] == "reverting" && found["SEED"] == "blocked")
    }

    @Test func `a folder whose state says half done, though no job accounts for it`() throws {
        for status in [FolderState.Status.failed, .updating, .reverting] {
            let found = try phases([], states([:], ["SEED": status]))
            #expect(found == ["SEED": "failed"])
        }
    }

    @Test func `what is below an ancestor that a job raised, until it is raised too`() throws {
        #expect(try phases([], states(["PAIE": "8.0.2", "SEED": "8.0.2"]))["SEED"] == nil)
        #expect(try phases([], states(["PAIE": "8.0.2"]))["SEED"] == "behind")
    }

    @Test func `nothing that is only behind, where that may be used`() throws {
        var usable = tree
        usable.behind = .usable
        let failed = try job(2, .failed, ["PAIE": .done, "SEED": .failed, "SEED2": .pending])
        let locks = WantedDowntime(
            endpoint: usable, jobs: [failed], states: try states(["PAIE": "8.0.2"], ["SEED": .failed])
        ).locks
        #expect(locks.mapValues(\.phase) == ["SEED": .failed])
    }

    @Test func `what is done, where all of it may yet be undone, and not once the job ends`() throws {
        var running = try job(2, .running, ["PAIE": .done, "SEED": .running])
        #expect(
            try phases([running], states(["PAIE": "8.0.2", "SEED": "8.0.2"]), onFailure: .revertAll)["PAIE"]
                == "updating")
        #expect(try phases([running], states(["PAIE": "8.0.2", "SEED": "8.0.2"]))["PAIE"] == nil)
        running.folders["SEED"] = FolderJob(state: .done, progress: .init(total: 1))
        running.endingAt = Self.now
        let up = Dictionary(uniqueKeysWithValues: tree.folders.map { ($0.name, "8.0.2") })
        #expect(try phases([running], states(up), onFailure: .revertAll) == [:])
    }

    @Test func `none for the folders that a job never began, once it ends`() throws {
        var running = try job(2, .running, ["PAIE": .pending, "SEED": .pending])
        running.endingAt = Self.now
        #expect(try phases([running], states()) == [:])
    }

    @Test func `the same ones however many jobs are over`() throws {
        let over = try (10..<60).map { try job($0, .done, ["PAIE": .done, "SEED": .done]) }
        let failed = try job(2, .failed, ["SEED": .failed])
        let expected = try phases([failed], states([:], ["SEED": .failed]))
        #expect(try phases(over + [failed], states([:], ["SEED": .failed])) == expected)
        #expect(expected["SEED"] == "failed")
    }

    @Test func `from and to stay the same for as long as a job has the folder`() throws {
        var running = try job(2, .running, ["PAIE": .done, "SEED": .running])
        running.folders["PAIE"]?.from = Version("8.0.1")
        running.folders["PAIE"]?.to = Version("8.0.2")
        var endpoint = tree
        endpoint.onFailure = .revertAll
        let lock = try WantedDowntime(endpoint: endpoint, jobs: [running], states: states(["PAIE": "8.0.2"])).locks[
            "PAIE"]
        #expect(lock?.from == Version("8.0.1") && lock?.to == Version("8.0.2"))
    }

    @Test func `each says why in a sentence`() throws {
        let locks = try WantedDowntime(
            endpoint: tree, jobs: [job(2, .failed, ["PAIE": .failed, "SEED": .blocked])],
            states: states([:], ["PAIE": .failed])
        ).locks
        #expect(locks["PAIE"]?.message == "exit 1")
        #expect(locks.values.allSatisfy { !$0.message.isEmpty })
    }

    @Test(arguments: ["x", "\u{1}", "\u{10FFFF}", "e\u{301}"])
    func `each has a message that fits where room was made for it`(character: String) throws {
        var failed = try job(2, .failed, ["SEED": .failed])
        failed.folders["SEED"]?.message = String(repeating: character, count: 1_000_000)
        let lock = try #require(
            try WantedDowntime(endpoint: tree, jobs: [failed], states: states([:], ["SEED": .failed])).locks["SEED"])
        #expect(lock.message.hasSuffix("…") && lock.message.unicodeScalars.count == 2002)
        #expect(try JSONText.page(lock).count < 16_384)
    }
}
