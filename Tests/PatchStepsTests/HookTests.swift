import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `Hooks around a folder's update` {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.write("old", "a")
    }

    private func steps(before: String = "true", validate: String = "true", after: String = "true") -> [Brought] {
        [
            .hook(.before, before), .file("a", "new"), .script("8.0.2.sh", "echo script >> log"),
            .hook(.validate, validate), .hook(.after, after),
        ]
    }

    private func go(_ steps: [Brought], timeout: Double = 10) throws -> LedgerSummary {
        try place.begin(1, place.plan(1, steps), timeout: timeout)
        #expect(try place.survey(1).codes == [])
        try place.stage(1)
        return try place.apply(1)
    }

    @Test func `run before its first change, after its last one, and when it is done`() throws {
        let say = "echo \"$PATCHD_SCRIPT $PATCHD_FOLDER $PATCHD_FROM-$PATCHD_TO $(cat a) $PWD\" >> log"
        #expect(try go(steps(before: say, validate: say, after: say)).outcome == .done)
        let lines = ["before SEED 8.0.1-8.0.2 old", "script", "validate SEED 8.0.1-8.0.2 new"]
        func log() throws -> [String] {
            try place.read("log").split(separator: "\n").map {
                $0.replacingOccurrences(of: " " + place.folder, with: "")
            }
        }
        #expect(try log() == lines)
        let summary = try place.finish(1)
        #expect(summary.outcome == .done && summary.warnings.isEmpty)
        #expect(try log() == lines + ["after SEED 8.0.1-8.0.2 new"])
        try place.finish(1)
        #expect(try log().count == 4, "once")
        #expect(try place.trace(1).contains("hook before: "))
    }

    @Test func `that fail before the first change leave everything as it was`() throws {
        let before = try place.picture()
        let summary = try go(steps(before: "echo no; exit 3"))
        #expect(
            summary.outcome
                == .failed(
                    step: 0, code: .hook,
                    message:
                        "the hook before ended with exit code 3; see its trace, fix the cause, then resume the job"))
        #expect(try place.picture() == before)
        #expect(try place.trace(1).contains("hook before: no"))
    }

    @Test func `that find the folder wrong stop it, and only they run again when it is resumed`() throws {
        let summary = try go(steps(before: "echo before >> log", validate: "test -e ready"))
        guard case .failed(3, .hook, _) = summary.outcome else {
            Issue.record("\(summary.outcome)")
            return
        }
        #expect(try place.finish(1).finished.contains(4) == false, "it is not done")
        try place.write("", "ready")
        try place.resume(1)
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("log") == "before\nscript\n")
    }

    @Test(arguments: ["exit 1", "sleep 1000", "kill -9 $$"])
    func `that fail when it is done are told, and it stays done`(command: String) throws {
        _ = try go(steps(after: command), timeout: 0.3)
        let summary = try place.finish(1)
        #expect(summary.outcome == .done && summary.wasDone)
        #expect(summary.warnings[4]?.contains("the hook after") == true)
        #expect(try place.trace(1).contains { $0.contains("failed, which changes nothing") })
        #expect(try place.finish(1).finished.contains(4), "and it is not tried again")
    }

    @Test func `do not keep a job from being undone, and do not run then`() throws {
        try place.begin(
            1,
            place.plan(
                1, steps(before: "echo b >> log", validate: "echo v >> log", after: "echo x >> log"),
                downgrades: [.script("8.0.2.sh", "echo down >> log")]))
        try place.survey(1)
        try place.stage(1)
        try place.apply(1)
        try place.finish(1)
        try place.beginRollback(2, of: [1])
        #expect(try place.survey(2).codes == [])
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.read("a") == "old")
        #expect(try place.read("log") == "b\nscript\nv\nx\ndown\n")
    }
}

/// The real program, killed at each of its fault points in turn, or told there that a call failed.
@Suite struct `A worker that runs hooks and handlers` {
    private func prepared() throws -> Workplace {
        let place = try Workplace(in: "/dev/shm")
        try place.write("old", "a")
        // Each is safe to repeat, as its author has to make it.
        let program = try place.program("integrate", "cat \"$1\" a > handed; rm \"$1\"")
        let steps: [Brought] = [
            .hook(.before, "cat a > before"), .file("a", "new"), .handed("D/W.dat", "W", to: "\(program) {file}"),
            .script("8.0.2.sh", "cat handed > script"), .hook(.validate, "cat script a > validate"),
            .hook(.after, "cat validate > after"),
        ]
        try place.begin(1, place.plan(1, steps))
        #expect(try place.survey(1).codes == [])
        return place
    }

    private static let phases = ["stage", "apply", "finish"]

    private func go(_ phase: String, _ place: Workplace) throws {
        switch phase {
        case "stage": try place.stage(1)
        case "apply": try place.apply(1)
        default: try place.finish(1)
        }
    }

    @Test(arguments: phases, ["kill", "5"])
    func `and is cut off at any fault point goes on as if undisturbed`(phase: String, cut: String) throws {
        let undisturbed = try prepared()
        for phase in Self.phases { try go(phase, undisturbed) }
        let after = try undisturbed.picture()
        #expect(try undisturbed.read("after") == "Wnewnew")
        var point = 1
        while point < 1000 {
            let place = try prepared()
            for earlier in Self.phases.prefix(while: { $0 != phase }) { try go(earlier, place) }
            let end = try place.start(phase, 1, fault: "\(cut):\(point)")
            guard place.hasFired else {
                #expect(end == .code(0))
                break
            }
            if case .failed = try place.summary(1).outcome { try place.resume(1) }
            for next in Self.phases.drop(while: { $0 != phase }) { try go(next, place) }
            let summary = try place.summary(1)
            #expect(summary.outcome == .done, "point \(point)")
            #expect(summary.finished.isSuperset(of: 0...5), "point \(point)")
            // A hook whose effect could not be made durable is told of, and not run again.
            let hasTold = !summary.warnings.isEmpty
            #expect(!hasTold || cut == "5" && phase == "finish", "point \(point)")
            #expect(try place.picture() == after, "point \(point)")
            point += 1
        }
        print("hooks and handlers cut off in \(phase) at \(point - 1) points (\(cut))")
        #expect(point > 3)
    }
}
