import PatchPlan
import Testing

@testable import PatchModel

@Suite struct `A canary` {
    private func plan(
        _ canary: [String], _ options: UpdateOptions = UpdateOptions(), versions: [String: String] = [:],
        pause: CanaryPause = .seconds(60), behind: Endpoint.Behind = .locked
    ) throws -> EndpointPlan {
        var endpoint = try Tree.endpoint(versions)
        (endpoint.canary, endpoint.canaryPause, endpoint.behind) = (canary, pause, behind)
        return try Planner(update: Tree.update(), endpoint: endpoint, states: [:], options: options).plan()
    }

    @Test(arguments: [
        (["SEED"], ["PAIE", "SEED"]), (["SEEDPROD2"], ["PAIE", "SEEDPROD", "SEEDPROD2"]),
        // A test folder runs ahead of its reference folder.
        (["SEED2"], ["SEED2"]), (["SEED2", "SEED"], ["PAIE", "SEED", "SEED2"]), (["PAIE"], ["PAIE"]),
    ])
    func `goes first with its ancestors, a test folder without`(_ canary: [String], _ first: [String]) throws {
        let plan = try plan(canary)
        #expect(plan.canary?.folders == first && Set(plan.canary?.canaries ?? []) == Set(canary))
        #expect(plan.names(.pending).count == 5)
    }

    @Test func `that is left out or up to date has no effect`() throws {
        #expect(try plan(["SEED"], UpdateOptions(exclude: ["SEED"])).canary == nil)
        #expect(try plan(["SEED"], versions: ["SEED": "8.0.2"]).canary == nil)
        #expect(try plan(["SEED", "SEED2"], UpdateOptions(exclude: ["SEED"])).canary?.folders == ["SEED2"])
        #expect(try plan([]).canary == nil)
        // Its ancestors have the version already.
        #expect(try plan(["SEED"], versions: ["PAIE": "8.0.2"]).canary?.folders == ["SEED"])
    }

    @Test func `has no effect where nobody is left to follow it`() throws {
        #expect(try plan(["SEED2"], UpdateOptions(only: ["SEED2"])).canary == nil)
        #expect(try plan(["SEED", "SEED2", "SEEDPROD2"]).canary == nil)
    }

    @Test func `is warned of where others are locked in the pause`() throws {
        let warnings = try plan(["SEED"]).warnings
        #expect(warnings.count == 1 && warnings[0].contains("canary (SEED)"))
        #expect(warnings.first?.contains(": SEED2, SEEDPROD, SEEDPROD2;") == true, "\(warnings)")
    }

    @Test func `is not warned of where nobody is locked`() throws {
        #expect(try plan(["SEED2"]).warnings == [])
        #expect(try plan(["SEED"], behind: .usable).warnings == [])
        #expect(try plan(["SEED"], pause: .seconds(0)).warnings == [])
        #expect(try plan(["SEED"], UpdateOptions(exclude: ["SEED2", "SEEDPROD"])).canary == nil)
    }

    @Test func `is part of what is approved, and its change is said`() throws {
        let (one, other) = (try plan(["SEED"]), try plan(["SEED"], pause: .approval))
        let options = UpdateOptions()
        #expect(
            try one.approvalText(sha256: "a", options: options) != other.approvalText(sha256: "a", options: options))
        #expect(PlanDifference.lines(from: one, to: other) == ["another canary"])
    }

    @Test(arguments: [
        (CanaryPause.seconds(0), "at once"), (.seconds(0.5), "after 500ms"), (.seconds(90), "after 90s"),
        (.seconds(7200), "after 2h"), (.seconds(172_800), "after 2d"), (.approval, "when somebody approves"),
    ])
    func `says when the others follow`(_ pause: CanaryPause, _ words: String) {
        let plan = CanaryPlan(canaries: ["SEED"], folders: ["PAIE", "SEED"], pause: pause)
        #expect(plan.text == "PAIE, SEED first; the others follow \(words)")
    }

    // MARK: What is locked

    private func wanted(
        _ job: Job, raised: Set<String>, behind: Endpoint.Behind = .locked, onFailure: Endpoint.OnFailure = .hold
    ) throws -> [String: UpdateLock] {
        var endpoint = try Tree.endpoint()
        (endpoint.behind, endpoint.onFailure) = (behind, onFailure)
        var states: [String: FolderState] = [:]
        for name in endpoint.folders.map(\.name) {
            let isRaised = raised.contains(name)
            states[name] = try Tree.state(name, isRaised ? "8.0.2" : "8.0.1", update: isRaised ? "X3V8_P2" : "")
        }
        return WantedDowntime(endpoint: endpoint, jobs: [job], states: states).locks
    }

    private func locks(
        _ job: Job, raised: Set<String>, behind: Endpoint.Behind = .locked, onFailure: Endpoint.OnFailure = .hold
    ) throws -> [String: String] {
        try wanted(job, raised: raised, behind: behind, onFailure: onFailure).mapValues(\.phase.rawValue)
    }

    private func job(
        first: [String], _ stage: JobCanary.Stage, _ state: Job.State, done: Set<String>, locks: Bool
    ) throws -> Job {
        var job = Job(
            job: 7, endpoint: "payroll", update: "X3V8_P2", version: try Tree.version("8.0.2"), sha256: "",
            options: UpdateOptions(), claim: "c", createdAt: .now)
        job.state = state
        for folder in try Tree.endpoint().activeFolders {
            job.folders[folder.name] = FolderJob(
                state: done.contains(folder.name) ? .done : .pending, progress: .init(total: 1))
        }
        job.canary = JobCanary(CanaryPlan(canaries: first, folders: first, pause: .seconds(60)))
        job.canary?.stage = stage
        if locks { (job.disconnectedAt, job.quiescedAt) = (.now, .now) }
        return job
    }

    @Test func `of type test locks nobody else, neither while it is updated nor in the pause`() throws {
        let first = try job(first: ["SEED2"], .first, .running, done: [], locks: true)
        #expect(try locks(first, raised: []) == ["SEED2": "updating"])
        let paused = try job(first: ["SEED2"], .paused, .waiting, done: ["SEED2"], locks: false)
        #expect(try locks(paused, raised: ["SEED2"]) == [:])
    }

    @Test func `with its ancestors leaves the others behind in the pause, locked or usable`() throws {
        let paused = try job(first: ["PAIE", "SEED"], .paused, .waiting, done: ["PAIE", "SEED"], locks: false)
        let behind = ["SEED2": "behind", "SEEDPROD": "behind", "SEEDPROD2": "behind"]
        #expect(try locks(paused, raised: ["PAIE", "SEED"]) == behind)
        #expect(try locks(paused, raised: ["PAIE", "SEED"], behind: .usable) == [:])
    }

    @Test func `leaves locks of its job behind, which say what comes there`() throws {
        let paused = try job(first: ["PAIE", "SEED"], .paused, .waiting, done: ["PAIE", "SEED"], locks: false)
        for (name, lock) in try wanted(paused, raised: ["PAIE", "SEED"]) {
            #expect(lock.job == 7 && lock.to == Version("8.0.2") && lock.from == Version("8.0.1"), "\(name)")
            #expect(lock.message.contains("X3V8_P2 8.0.2 comes after the folders that go first"), "\(name)")
        }
    }

    @Test func `is unlocked in the pause though a later failure may take everything back`() throws {
        let paused = try job(first: ["SEED2"], .paused, .waiting, done: ["SEED2"], locks: false)
        #expect(try locks(paused, raised: ["SEED2"], onFailure: .revertAll) == [:])
        let rest = try job(first: ["PAIE", "SEED"], .rest, .running, done: ["PAIE", "SEED", "SEED2"], locks: true)
        let found = try locks(rest, raised: ["PAIE", "SEED", "SEED2"], onFailure: .revertAll)
        #expect(found == ["SEED2": "updating", "SEEDPROD": "updating", "SEEDPROD2": "updating"])
    }

    @Test func `stays free while the others are updated beside it`() throws {
        let rest = try job(first: ["PAIE", "SEED"], .rest, .running, done: ["PAIE", "SEED"], locks: true)
        #expect(try locks(rest, raised: ["PAIE", "SEED"]).keys.sorted() == ["SEED2", "SEEDPROD", "SEEDPROD2"])
    }
}
