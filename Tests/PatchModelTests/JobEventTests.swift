import PatchJSON
import Testing

@testable import PatchModel

@Suite struct `A job` {
    static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
    static let later = now.adding(seconds: 60)

    /// One folder, which gives the job a reason to be holding, or none.
    static func job(_ state: Job.State, folder: FolderJob.State = .pending) throws -> Job {
        var job = Job(
            job: 7, endpoint: "payroll", update: "X3V8_P2", version: try #require(Version("8.0.2")), sha256: "ab",
            options: UpdateOptions(), claim: "c", createdAt: now)
        job.state = state
        job.folders = ["SEED": FolderJob(state: folder, progress: .init(total: 2))]
        return job
    }

    private static let approval = JobApproval(digest: "d", by: .init(name: "ann", uid: 7, at: now, sha256: "ab"))

    private static let events: [(name: String, event: JobEvent)] = [
        ("wait", .wait(reason: "a hold", at: now)), ("begin", .begin(turn: 3, at: now)), ("plan", .plan([:])),
        ("askApproval", .askApproval(digest: "d", message: "")),
        ("approve", .approve(approval, options: nil, folders: nil, request: "r")), ("confirm", .confirmApproval),
        ("dropApproval", .dropApproval), ("decline", .decline(by: "ann", request: "r", at: now)),
        ("announce", .announce(at: now)), ("disconnect", .disconnect(at: now)), ("admit", .admit(at: now)),
        ("quiesce", .quiesce(at: now)), ("postpone", .postpone(reason: "a hold", by: nil, at: now)),
        ("cancel", .cancel(request: "r", at: now)),
        ("cancelResumption", .cancelResumption(halfDone: [], request: "r", at: now)),
        ("resume", .resume(assuming: [:], skipping: [], request: "r")), ("startEnding", .startEnding(at: now)),
        ("unitsDown", .unitsDown(["app.service": "failed"])), ("note", .note("it stops app.service")),
        ("end", .end(nil, at: now)), ("pause", .pause(until: nil, at: now)), ("endPause", .endPause()),
    ]

    /// By state of the job and of its folder, what follows each event; a dash: refused.
    private static let table: [(state: Job.State, folder: FolderJob.State, next: String)] = [
        (.queued, .pending, "waiting running - - - - queued - - - - - - cancelled failed - queued queued - done - -"),
        (
            .waiting, .pending,
            "waiting running - - - - waiting - - - - - - cancelled failed - waiting waiting - done - -"
        ),
        (.pendingApproval, .pending, "- - - - queued - queued declined - - - - - cancelled - - - - - - - -"),
        (
            .running, .pending,
            "- running running pendingApproval - running running - running running running running waiting running - - running running running done - -"
        ),
        (.failed, .failed, "- - - - - - - - - - - - - - - queued - - - - - -"),
        // What failed was undone: there is nothing to resume.
        (.failed, .reverted, "- - - - - - - - - - - - - - - - - - - - - -"),
        // It failed before it changed anything.
        (.failed, .pending, "- - - - - - - - - - - - - - - queued - - - - - -"),
        (.done, .done, "- - - - - - - - - - - - - - - - - - - - - -"),
        (.declined, .pending, "- - - - - - - - - - - - - - - - - - - - - -"),
        (.cancelled, .pending, "- - - - - - - - - - - - - - - - - - - - - -"),
    ]

    @Test func `changes state only as the table says, for every state and event`() throws {
        #expect(Set(Self.table.map(\.state)) == Set(Job.State.allCases))
        for (state, folder, line) in Self.table {
            let expected = line.split(separator: " ").map(String.init)
            #expect(expected.count == Self.events.count)
            for ((name, event), next) in zip(Self.events, expected) {
                let found = (try? Self.job(state, folder: folder).after(event))?.state.rawValue
                #expect(found ?? "-" == next, "\(state) \(name)")
            }
        }
    }

    @Test func `that waits keeps since when, whatever it waits for`() throws {
        let waiting = try Self.job(.queued).after(.wait(reason: "a hold", at: Self.now))
        let again = try waiting.after(.wait(reason: "a window", at: Self.later))
        #expect(again.waitingFor == "a window" && again.waitingSince == Self.now)
        let running = try again.after(.begin(turn: 1, at: Self.later))
        #expect(running.waitingFor == "" && running.waitingSince == nil && running.startedAt == Self.later)
    }

    @Test func `keeps its place once it has changed something`() throws {
        var job = try Self.job(.running, folder: .running)
        job.turn = 2
        #expect(try job.after(.begin(turn: 9, at: Self.now)).turn == 2)
        #expect(try Self.job(.queued).after(.begin(turn: 9, at: Self.now)).turn == 9)
    }

    @Test func `that is cancelled while it holds nothing is cancelled, and failed where something failed`() throws {
        let fault = Fault(.cancelled, "cancelled while it ran")
        #expect(try Self.job(.running, folder: .done).after(.end(fault, at: Self.now)).state == .cancelled)
        #expect(try Self.job(.running, folder: .failed).after(.end(fault, at: Self.now)).state == .failed)
    }

    @Test func `that ends lets go of its locks, unless it holds what failed`() throws {
        var job = try Self.job(.running, folder: .done)
        (job.announcedAt, job.disconnectedAt, job.quiescedAt) = (Self.now, Self.now, Self.now)
        #expect(try !job.after(.end(nil, at: Self.later)).isLocking)
        job.folders = try Self.job(.running, folder: .failed).folders
        #expect(try job.after(.end(Fault(.script, "exit 1"), at: Self.later)).isLocking)
    }

    @Test func `that ended but for its hooks does not lock again when the daemon restarts`() throws {
        let ending = try Self.job(.running, folder: .done).after(.startEnding(at: Self.now))
        #expect(try ending.after(.begin(turn: 1, at: Self.later)).endingAt == Self.now)
        // Where folders are open again it goes on as before.
        let open = try Self.job(.running, folder: .pending).after(.startEnding(at: Self.now))
        #expect(try open.after(.begin(turn: 1, at: Self.later)).endingAt == nil)
    }

    @Test func `goes through the phases of its locks`() throws {
        var job = try Self.job(.running)
        job = try job.after(.announce(at: Self.now))
        #expect(job.phase(of: "SEED") == .announced && job.isLocking)
        job = try job.after(.disconnect(at: Self.now))
        #expect(job.phase(of: "SEED") == .disconnect)
        job = try job.after(.quiesce(at: Self.now))
        #expect(job.phase(of: "SEED") == .updating)
        // Postponed, it lets go of them all.
        #expect(try !job.after(.postpone(reason: "a hold", by: nil, at: Self.now)).isLocking)
    }

    @Test func `refuses an event in a folder that it does not have, and says which folder refuses one`() throws {
        let job = try Self.job(.running)
        #expect(throws: TransitionRefused("job 7 is running: it has no folder NONE")) {
            try job.after(.folder("NONE", .begin))
        }
        #expect(throws: TransitionRefused("job 7, folder SEED: a folder that is pending cannot be skipped")) {
            try job.after(.folder("SEED", .skip))
        }
    }

    @Test func `survives being written and read`() throws {
        var job = try Self.job(.running, folder: .running)
        job = try job.after(.folder("SEED", .revert)).after(.disconnect(at: Self.now)).after(
            .startEnding(at: Self.later))
        #expect(try JSONText.read(Job.self, try JSONText.page(job)) == job)
    }
}
