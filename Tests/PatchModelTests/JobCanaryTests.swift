import PatchJSON
import Testing

@testable import PatchModel

@Suite struct `A job with a canary` {
    static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
    static let later = now.adding(seconds: 60)
    static let plan = CanaryPlan(canaries: ["SEED2"], folders: ["SEED2"], pause: .seconds(60))
    private static let ann = JobApproval.Approver(name: "ann", uid: 7, at: now, sha256: "ab")

    /// SEED2 goes first, SEED follows.
    static func job(
        _ state: Job.State, _ stage: JobCanary.Stage, _ first: FolderJob.State = .done,
        _ rest: FolderJob.State = .pending
    ) throws -> Job {
        var job = try `A job`.job(state)
        job.folders = [
            "SEED2": FolderJob(state: first, progress: .init(total: 2)),
            "SEED": FolderJob(state: rest, progress: .init(total: 2)),
        ]
        job.canary = JobCanary(plan)
        job.canary?.stage = stage
        if stage == .paused { job.canary?.until = later }
        return job
    }

    private static let events: [JobEvent] = [
        .pause(until: later, at: now), .endPause(), .endPause(by: ann, request: "r"),
        .wait(reason: "a hold", at: now), .begin(turn: 3, at: now), .cancel(request: "r", at: now),
        .decline(by: "ann", request: "r", at: now), .end(nil, at: now),
    ]

    /// By state and part, what follows each event; a dash: refused.
    private static let table: [(state: Job.State, stage: JobCanary.Stage, next: String)] = [
        (.queued, .first, "- - - waiting running queued - done"),
        (.queued, .rest, "- - - waiting running cancelled - done"),
        (.waiting, .first, "- - - waiting running waiting - done"),
        // In the pause it goes on by its end, or by an approver, and nothing else gives it its turn.
        (.waiting, .paused, "- queued queued - - cancelled cancelled done"),
        (.waiting, .rest, "- - - waiting running cancelled - done"),
        (.running, .first, "waiting running running - running running - done"),
        (.running, .rest, "- - - - running running - done"),
    ]

    @Test func `goes from part to part only as the table says`() throws {
        for (state, stage, line) in Self.table {
            for (event, next) in zip(Self.events, line.split(separator: " ", omittingEmptySubsequences: true)) {
                let found = (try? Self.job(state, stage).after(event))?.state.rawValue
                #expect(found ?? "-" == next, "\(state) \(stage) \(event)")
            }
        }
    }

    @Test func `has only those in turn that go first, then nobody, then the others`() throws {
        let turns = try JobCanary.Stage.allCases.map { stage in
            let job = try Self.job(.running, stage)
            return ["SEED2", "SEED"].filter(job.isInTurn)
        }
        #expect(turns == [["SEED2"], [], ["SEED"]])
        let plain = try `A job`.job(.running)
        #expect(plain.isInTurn("SEED") && !plain.isCommitted("SEED"))
    }

    @Test func `lets go of its locks in the pause, and goes through their phases again after it`() throws {
        var job = try Self.job(.running, .first)
        (job.announcedAt, job.disconnectedAt, job.admittedAt, job.quiescedAt) = (Self.now, Self.now, Self.now, Self.now)
        job = try job.after(.pause(until: Self.later, at: Self.now))
        #expect(job.isPaused && !job.isLocking && job.waitingSince == Self.now)
        #expect(job.waitingFor == "canary SEED2, until 2023-11-14T22:14:20.000Z; sooner with: patchctl approve 7")
        job = try job.after(.endPause()).after(.begin(turn: 9, at: Self.later)).after(.announce(at: Self.later))
        #expect(job.phase(of: "SEED") == .announced && job.waitingFor.isEmpty)
        job = try job.after(.disconnect(at: Self.later))
        #expect(job.phase(of: "SEED") == .disconnect && !job.hasBegunPart && job.hasBegun)
        #expect(try job.after(.folder("SEED", .begin)).phase(of: "SEED") == .updating)
    }

    @Test func `without a time waits for an approver, who is recorded`() throws {
        let job = try Self.job(.running, .first).after(.pause(until: nil, at: Self.now))
        #expect(job.needsApprover && job.waitingFor == "canary SEED2, and an approval: patchctl approve 7")
        let approved = try job.after(.endPause(by: Self.ann, request: "r"))
        #expect(approved.canary?.approver == Self.ann && approved.request == "r" && !approved.needsApprover)
    }

    @Test func `that is ended in the pause keeps what is done, and leaves the others as they were`() throws {
        for event in [JobEvent.cancel(request: "r", at: Self.now), .decline(by: "ann", request: "r", at: Self.now)] {
            let job = try Self.job(.waiting, .paused).after(event)
            #expect(job.state == .cancelled && job.code == "cancelled" && job.message.contains("after its canary"))
            #expect(job.folders["SEED2"]?.state == .done && job.folders["SEED"]?.state == .pending)
            #expect(job.finishedAt == Self.now && job.request == "r" && !job.isLocking)
        }
    }

    @Test func `that failed as its canary's tasks did not come up pauses anew when it is resumed`() throws {
        let failed = try Self.job(.waiting, .paused).after(.end(Fault(.unit, "down"), at: Self.now))
        #expect(failed.state == .failed)
        let resumed = try failed.after(.resume(assuming: [:], skipping: [], request: nil))
        #expect(resumed.canary == JobCanary(Self.plan) && resumed.state == .queued)
    }

    @Test func `stays in the part of the others when it is resumed there`() throws {
        let failed = try Self.job(.running, .rest, .done, .failed).after(.end(Fault(.script, "exit 1"), at: Self.now))
        let resumed = try failed.after(.resume(assuming: [:], skipping: [], request: nil))
        #expect(resumed.canary?.stage == .rest && resumed.isInTurn("SEED"))
    }

    @Test func `survives being written and read`() throws {
        for pause in [CanaryPause.seconds(90), .approval] {
            var job = try Self.job(.waiting, .paused)
            job.canary?.plan.pause = pause
            job.canary?.approver = Self.ann
            #expect(try JSONText.read(Job.self, try JSONText.page(job)) == job)
        }
    }
}
