import Testing

@testable import PatchModel

@Suite struct `A folder in a job` {
    typealias State = FolderJob.State

    private static let events: [(name: String, event: FolderJobEvent)] = [
        ("notStaged", .notStaged(code: .space, message: "full")), ("begin", .begin),
        ("progress", .progress(.init(done: 1, total: 3, step: "file a"))), ("finish", .finish),
        ("fail", .fail(code: .script, message: "exit 1", done: 2)), ("block", .block(message: "above")),
        ("revert", .revert), ("reverted", .reverted(code: "script", message: "exit 1")), ("undone", .undone),
        ("resume", .resume), ("skip", .skip), ("cancelHalf", .resumptionCancelled(isHalfDone: true)),
        ("cancelWhole", .resumptionCancelled(isHalfDone: false)),
    ]

    /// By state, what follows each event; a dash: refused.
    private static let table: [(state: State, next: String)] = [
        (.pending, "pending running - - failed blocked running - pending pending - failed blocked"),
        (.running, "- running running done failed - running reverted running - - - -"),
        (.done, "- - - done - - running - done - - done done"),
        (.upToDate, "- - - - - - - - upToDate - - upToDate upToDate"),
        (.excluded, "- - - - - - - - excluded - - excluded excluded"),
        (.failed, "- - - - failed - running reverted reverted pending excluded failed failed"),
        (.blocked, "- - - - - - - - blocked pending excluded blocked blocked"),
        (.reverted, "- - - - - - - reverted reverted - - reverted reverted"),
    ]

    @Test func `changes state only as the table says, for every state and event`() {
        #expect(Set(Self.table.map(\.state)) == Set(State.allCases))
        for (state, line) in Self.table {
            let expected = line.split(separator: " ").map(String.init)
            #expect(expected.count == Self.events.count)
            for ((name, event), next) in zip(Self.events, expected) {
                let found = (try? FolderJob(state: state, progress: .init(done: 1, total: 3)).after(event))?.state
                    .rawValue
                #expect(found ?? "-" == next, "\(state) \(name)")
            }
        }
    }

    @Test func `that fails says why and how far it came, and loses that when it is resumed`() throws {
        let running = FolderJob(state: .running, progress: .init(total: 3), from: Version("1"), to: Version("2"))
        let failed = try running.after(.fail(code: .script, message: "exit 1", done: 2))
        #expect(failed.code == "script" && failed.message == "exit 1" && failed.progress == .init(done: 2, total: 3))
        let resumed = try failed.after(.resume)
        #expect(resumed.code == "" && resumed.message == "" && resumed.progress == .init(total: 3))
        #expect(resumed.from == Version("1") && resumed.to == Version("2"))
    }

    @Test func `that goes back is known to, until it is back`() throws {
        let failed = try FolderJob(state: .running, progress: .init(total: 1)).after(
            .fail(code: .script, message: "exit 1", done: nil))
        let back = try failed.after(.revert)
        #expect(back.isGoingBack && back.state == .running && back.code == "script")
        #expect(try !back.after(.reverted(code: "script", message: "exit 1")).isGoingBack)
        // Earlier builds recorded the code alone.
        #expect(FolderJob(state: .running, code: "script", progress: .init(total: 1)).isGoingBack)
        #expect(!FolderJob(state: .running, progress: .init(total: 1)).isGoingBack)
    }

    @Test func `that a rollback took back says no more to resume the job`() throws {
        let why = "SEED: exit code 1; fix the cause, then resume the job"
        let failed = FolderJob(state: .failed, code: "script", message: why, progress: .init(total: 1))
        let back = try failed.after(.undone)
        #expect(
            back.state == .reverted && back.message == "SEED: exit code 1; fix the cause, then drop the archive again")
        var job = Job(
            job: 2, endpoint: "payroll", update: "X", version: try #require(Version("2")), sha256: "",
            options: UpdateOptions(), claim: "", createdAt: .now)
        (job.state, job.message) = (.failed, why)
        job.folders = ["SEED": failed, "SEED2": failed]
        // It can be resumed as long as it holds another one.
        job = try job.after(.undone(folder: "SEED"))
        #expect(job.message == why)
        #expect(try job.after(.undone(folder: "SEED2")).message.hasSuffix("drop the archive again"))
        // A corrected archive puts it back in the job's own name.
        job = try job.after(.folder("SEED2", .reverted(code: "script", message: "")))
        #expect(job.message.hasSuffix("drop the archive again"))
    }

    @Test func `is refused a change with a sentence that names both`() {
        #expect(throws: TransitionRefused("a folder that is done cannot be skipped")) {
            try FolderJob(state: .done, progress: .init(total: 1)).after(.skip)
        }
    }
}
