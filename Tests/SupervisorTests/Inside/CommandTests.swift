import Foundation
import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `A command` {
        private func failed(in folder: String = "A") async throws -> TestDaemon {
            let daemon = try TestDaemon()
            daemon.workers.fail(folder, .apply, .script)
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.workers.succeed()
            daemon.workers.forgetCalls()
            return daemon
        }

        @Test(arguments: ["resume", "cancel", "rollback", "approve", "decline"])
        func `on a job that does not exist is answered so`(command: String) async throws {
            let daemon = try TestDaemon()
            let answer = try await daemon.ask(#"{"command":"\#(command)","job":7}"#)
            #expect(!answer.ok && answer.code == "unknownJob")
        }

        @Test(arguments: ["resume", "cancel", "approve", "decline"])
        func `that does not fit a job that is done is refused`(command: String) async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            let answer = try await daemon.ask(#"{"command":"\#(command)","job":1}"#)
            #expect(!answer.ok && answer.code == "wrongState")
            #expect(try daemon.job().state == .done)
        }

        @Test(arguments: [
            "{", "{}", #"{"command":"explode"}"#, #"{"command":"resume"}"#, #"{"command":"gc","job":1}"#,
            #"{"command":"baseline","endpoint":"payroll","folder":"A"}"#,
        ])
        func `that is none is invalid`(text: String) async throws {
            let daemon = try TestDaemon()
            let answer = try await daemon.ask(text)
            #expect(!answer.ok && answer.code == "requestInvalid")
        }

        @Test(arguments: ["SEED", "A", "A1", "B"]) func `to resume goes on with what failed and what it blocked`(
            folder: String
        ) async throws {
            let daemon = try await failed(in: folder)
            let done = try daemon.states().filter { $0.value == .done }.keys
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job().state == .done && Set(daemon.versions().values) == ["8.0.2"])
            for name in done { #expect(!daemon.workers.folders(.apply).contains(name), "it was done") }
            #expect(daemon.locked.isEmpty)
        }

        @Test func `to resume leaves out a folder, with all below it`() async throws {
            let daemon = try await failed()
            #expect(try await daemon.ask(#"{"command":"resume","job":1,"skip":["A"]}"#).ok)
            #expect(try daemon.job().state == .done)
            #expect(try daemon.states()["A"] == .excluded && daemon.states()["A1"] == .excluded)
            #expect(try daemon.version("A") == "8.0.1" && daemon.workers.folders(.apply).isEmpty)
        }

        @Test func `to resume leaves out no folder that did not fail`() async throws {
            let daemon = try await failed()
            let answer = try await daemon.ask(#"{"command":"resume","job":1,"skip":["B"]}"#)
            #expect(!answer.ok && answer.code == "missing")
            #expect(try daemon.job().state == .failed)
        }

        @Test func `to resume counts a step as done`() async throws {
            let daemon = try await failed()
            // It would fail again, had it still something to do.
            #expect(try await daemon.ask(#"{"command":"resume","job":1,"assumeDone":"bin/app"}"#).ok)
            #expect(try daemon.job().state == .done && Set(daemon.versions().values) == ["8.0.2"])
        }

        @Test func `to resume counts no step as done at which nothing stopped`() async throws {
            let daemon = try await failed()
            let answer = try await daemon.ask(#"{"command":"resume","job":1,"assumeDone":"bin/other"}"#)
            #expect(!answer.ok && answer.code == "missing")
        }

        @Test func `to resume a job that fails again lets it hold again`() async throws {
            let daemon = try await failed()
            daemon.workers.fail("A", .apply, .sql)
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job().state == .failed && daemon.job().code == "sql")
            #expect(daemon.locked == ["A", "A1"])
        }

        @Test func `to cancel ends a job that waits`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.2"))
            try await daemon.run()
            #expect(try await daemon.ask(#"{"command":"cancel","job":1}"#).ok)
            #expect(try daemon.job().state == .cancelled)
            #expect(try await daemon.run() == 0)
        }

        @Test(arguments: [FakeWorkers.Phase.survey, .stage])
        func `to cancel ends a job before a folder is changed`(phase: FakeWorkers.Phase) async throws {
            let daemon = try TestDaemon()
            let asked = Seen()
            daemon.workers.before { [weak daemon] start in
                guard let daemon, start.phase == phase, start.folder == "SEED" else { return }
                guard let name = try? daemon.request(#"{"command":"cancel","job":1}"#) else { return }
                asked.note([name])
                daemon.waitForAnswer(to: name)
            }
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(asked.all.count == 1)
            #expect(try daemon.job().state == .cancelled)
            #expect(daemon.workers.folders(.apply).isEmpty && daemon.locked.isEmpty)
            #expect(try daemon.version("SEED") == "8.0.1")
        }

        @Test func `to cancel leaves what is done, and begins no folder more`() async throws {
            let daemon = try TestDaemon { [Sample.endpoint(below: $0, [("SEED", nil), ("A", "SEED"), ("B", "A")])] }
            daemon.workers.before { [weak daemon] start in
                guard let daemon, start.phase == .apply, start.folder == "A" else { return }
                guard let name = try? daemon.request(#"{"command":"cancel","job":1}"#) else { return }
                daemon.waitForAnswer(to: name)
            }
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(daemon.workers.interrupted == ["A"])
            #expect(try daemon.version("SEED") == "8.0.2" && daemon.version("B") == "8.0.1")
            #expect(!daemon.workers.folders(.apply).contains("B"))
        }

        @Test func `to roll back takes back a job, children first`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(try await daemon.ask(#"{"command":"rollback","job":1}"#).ok)
            #expect(try daemon.job(2).state == .done && Set(daemon.versions().values) == ["8.0.1"])
            let order = daemon.workers.folders(.revert)
            #expect(order.last == "SEED" && order.count == 4)
            let (child, parent) = try (#require(order.firstIndex(of: "A1")), #require(order.firstIndex(of: "A")))
            #expect(child < parent)
            #expect(daemon.workers.calls.filter { $0.phase == .revert }.allSatisfy { $0.isLocked })
            #expect(daemon.locked.isEmpty)
        }

        @Test(arguments: [("A", ["A", "A1"]), ("A1", ["A1"]), ("SEED", ["A", "A1", "B", "SEED"])])
        func `to roll back one folder takes those below it back, too`(folder: String, back: [String]) async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(try await daemon.ask(#"{"command":"rollback","endpoint":"payroll","folder":"\#(folder)"}"#).ok)
            #expect(try daemon.versions().filter { $0.value == "8.0.1" }.keys.sorted() == back)
            // What is below a folder that has more stays locked.
            #expect(daemon.locked.sorted() == (folder == "SEED" ? [] : back))
        }

        @Test func `to roll back a failed job unlocks its folders`() async throws {
            let daemon = try await failed()
            #expect(try await daemon.ask(#"{"command":"rollback","job":1}"#).ok)
            #expect(try Set(daemon.versions().values) == ["8.0.1"])
            #expect(daemon.locked.isEmpty)
        }

        @Test func `to roll back an older job is refused while a newer one is in effect`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.2"))
            try await daemon.run()
            #expect(try await !daemon.ask(#"{"command":"rollback","job":1}"#).ok)
            #expect(try Set(daemon.versions().values) == ["8.0.3"])
            for job in [2, 1] { #expect(try await daemon.ask(#"{"command":"rollback","job":\#(job)}"#).ok) }
            #expect(try Set(daemon.versions().values) == ["8.0.1"])
            #expect(try daemon.history("SEED").compactMap(\.undone) == [[2], [1]])
        }

        @Test func `to roll back where nothing is in effect is refused`() async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            let answer = try await daemon.ask(#"{"command":"rollback","endpoint":"payroll","folder":"A"}"#)
            #expect(!answer.ok && answer.code == "missing")
        }

        @Test func `to roll back stops at a folder that cannot go back, and those above it stay`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.workers.fail("A1", .revert, .script)
            #expect(try await daemon.ask(#"{"command":"rollback","job":1}"#).ok)
            #expect(try daemon.states(2) == ["SEED": .blocked, "A": .blocked, "A1": .failed, "B": .done])
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":2}"#).ok)
            #expect(try Set(daemon.versions().values) == ["8.0.1"])
            #expect(daemon.locked.isEmpty)
        }

        /// A folder in which a rollback stopped was taken on by the job below it, or undone a second time.
        @Test(arguments: ["resume", "again", "corrected", "parent"])
        func `to roll back that stopped half-way keeps all other jobs from its folder`(how: String) async throws {
            let daemon = try await failed(in: "A1")
            daemon.workers.fail("A1", .revert)
            #expect(try await daemon.ask(#"{"command":"rollback","endpoint":"payroll","folder":"A1"}"#).ok)
            #expect(try daemon.states(1)["A1"] == .failed && daemon.states(2)["A1"] == .failed)
            daemon.workers.succeed()
            daemon.workers.forgetCalls()
            switch how {
            case "resume":
                let answer = try await daemon.ask(#"{"command":"resume","job":1}"#)
                #expect(answer.code == "dependency" && answer.message.contains("patchctl resume 2"), "\(answer)")
            case "again", "parent":
                let folder = how == "again" ? "A1" : "A"
                let answer = try await daemon.ask(#"{"command":"rollback","endpoint":"payroll","folder":"\#(folder)"}"#)
                #expect(answer.code == "wrongState" && answer.message.contains("patchctl resume 2"), "\(answer)")
            default:
                try daemon.drop(Sample.update(sum: "b"))
                #expect(try await daemon.run() == 1)
                let message = try daemon.job(3).message
                #expect(try daemon.job(3).state == .failed && message.contains("patchctl resume 2"), "\(message)")
            }
            #expect(daemon.workers.folders(.apply) + daemon.workers.folders(.revert) == [])
            #expect(daemon.locked == ["A1"])
            #expect(try await daemon.ask(#"{"command":"resume","job":2}"#).ok)
            #expect(try daemon.version("A1") == "8.0.1" && daemon.states(1)["A1"] == .reverted)
        }

        @Test func `to mark an update unstable keeps it from being applied, unless it is forced`() async throws {
            let daemon = try TestDaemon()
            #expect(try await daemon.ask(#"{"command":"markUnstable","update":"A@8.0.2"}"#).ok)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try daemon.job().code == "unstable" && daemon.workers.folders(.apply).isEmpty)
            try daemon.drop(Sample.update(), options: #"{"force":true}"#)
            #expect(try await daemon.run() == 0)
            #expect(try daemon.version("SEED") == "8.0.2")
        }

        @Test func `to mark it stable again lets it be applied`() async throws {
            let daemon = try TestDaemon()
            let marked = try await daemon.ask(#"{"command":"markUnstable","update":"A@8.0.2"}"#)
            #expect(marked.ok, "\(marked)")
            #expect(try await daemon.ask(#"{"command":"markStable","update":"A@8.0.2"}"#).ok)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
        }

        @Test func `is carried out in the order in which commands come`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.2"))
            try await daemon.run()
            let (first, second) = try (
                daemon.request(#"{"command":"cancel","job":1}"#), daemon.request(#"{"command":"cancel","job":1}"#)
            )
            try await daemon.run()
            #expect(try daemon.answer(first).ok && !daemon.answer(second).ok)
        }

        @Test func `that is answered is removed`() async throws {
            let daemon = try TestDaemon()
            let name = try daemon.request(#"{"command":"gc"}"#)
            try await daemon.run()
            #expect(!daemon.has("spool/requests/\(name)"))
            #expect(try daemon.answer(name).ok)
        }
    }
}
