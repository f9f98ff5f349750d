import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `The commands of tasks` {
        private func daemon() throws -> TestDaemon {
            let daemon = try TestDaemon()
            daemon.change { endpoint in
                endpoint.tasks.stopCommand = "halt"
                endpoint.tasks.startCommand = "go"
            }
            return daemon
        }

        @Test func `stop before the change and start after it`() async throws {
            let daemon = try daemon()
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(daemon.workers.commands == ["halt", "go"])
        }

        @Test func `that do not stop end the job before a folder is changed`() async throws {
            let daemon = try daemon()
            daemon.workers.failCommand("halt")
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try daemon.job().code == "unit" && daemon.workers.folders(.apply).isEmpty)
            #expect(daemon.workers.commands == ["halt", "go"] && daemon.locked.isEmpty)
        }

        @Test func `do not start what belongs to a root folder that stays locked`() async throws {
            let daemon = try daemon()
            daemon.workers.fail("SEED", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(daemon.workers.commands == ["halt"])
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(daemon.workers.commands == ["halt", "go"])
        }

        @Test func `that find somebody at work let the job wait in its place, which can be cancelled`() async throws {
            let daemon = try daemon()
            daemon.change { $0.tasks.idleCheck = "idle" }
            daemon.workers.failCommand("idle")
            try daemon.drop(Sample.update())
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.1"))
            #expect(try await daemon.run() == 5)
            #expect(try daemon.job().state == .waiting && daemon.job(2).state == .waiting)
            #expect(daemon.workers.folders(.apply).isEmpty && daemon.locked.isEmpty)
            #expect(daemon.workers.commands == ["halt", "idle", "go"], "tried once")
            #expect(try await daemon.ask(#"{"command":"cancel","job":2}"#).ok)
            #expect(try await daemon.ask(#"{"command":"cancel","job":1}"#).ok)
            #expect(try daemon.job().state == .cancelled && daemon.locked.isEmpty)
        }

        @Test func `that find somebody at work in the middle of a job leave its folders locked`() async throws {
            let daemon = try daemon()
            daemon.workers.fail("A", .apply)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            daemon.change { $0.tasks.idleCheck = "idle" }
            daemon.workers.failCommand("idle")
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            let job = try daemon.job()
            #expect(job.state == .failed && job.folders["A"]?.state == .failed && job.message.contains("resume job 1"))
            #expect(Set(daemon.locked) == ["A", "A1"])
        }
    }
}
