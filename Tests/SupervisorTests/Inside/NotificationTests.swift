import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `What a service says of itself` {
        @Test func `is that it is ready, then what it does, then that it is idle`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            let lines = daemon.notifications.lines
            #expect(lines.first == "idle" && lines.last == "idle" && lines.contains("READY"))
            #expect(lines.contains { $0.hasPrefix("job 1 on payroll: A 8.0.2 running") })
            #expect(daemon.notifications.heartbeats > 0)
        }

        @Test func `is what failed and what is locked`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail("A", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(daemon.notifications.lines.last { $0 != "READY" } == "1 job failed (1), 2 folders locked")
            try await daemon.run()
            #expect(
                daemon.notifications.lines.last { $0 != "READY" } == "1 job failed (1), 2 folders locked",
                "also after a start")
        }

        @Test func `is what waits`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.2"))
            try await daemon.run()
            #expect(daemon.notifications.lines.last { $0 != "READY" } == "1 job waiting (1)")
        }

        @Test func `is what waits for approval`() async throws {
            let daemon = try TestDaemon()
            daemon.change { $0.approval = .required }
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(daemon.notifications.lines.last { $0 != "READY" } == "1 job waits for approval (1)")
        }

        @Test func `goes to the command notify, an event a call`() async throws {
            let daemon = try TestDaemon()
            daemon.configuration.daemon.notify = "tell"
            daemon.workers.fail("A", .apply)
            try daemon.drop(Sample.update())
            try daemon.drop(bytes: Array("no archive".utf8))
            try await daemon.run()
            let notices = daemon.workers.notices
            #expect(notices.contains { $0.contains(#""event":"failed""#) && $0.contains(#""folder":"A""#) })
            #expect(notices.contains { $0.contains(#""event":"refused""#) })
            #expect(notices.count == 2)
        }
    }
}
