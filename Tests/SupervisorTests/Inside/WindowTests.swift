import Glibc
import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `Windows` {
        /// A weekday that is neither today nor yesterday nor tomorrow, whatever the zone.
        private func farDay() -> String {
            let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
            var (now, fields) = (time(nil), tm())
            localtime_r(&now, &fields)
            return names[(Int(fields.tm_wday) + 3) % 7]
        }

        @Test func `that are closed let a job wait, and say until when`() async throws {
            let daemon = try TestDaemon()
            let window = try UpdateWindow("\(farDay()) 02:00-03:00")
            daemon.change { $0.windows = [window] }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
            #expect(try daemon.job().waitingFor.contains("the window \(window), which opens"))
            #expect(daemon.workers.calls.isEmpty)
            daemon.change { $0.windows = [] }
            #expect(try await daemon.run() == 0)
        }

        @Test func `of which one is open let it in`() async throws {
            let daemon = try TestDaemon()
            let windows = try [
                UpdateWindow("\(farDay()) 02:00-03:00"), UpdateWindow("00:00-23:59"), UpdateWindow("23:58-00:01"),
            ]
            daemon.change { $0.windows = windows }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
        }

        @Test func `that close later keep no job that has begun`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail("A", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.workers.succeed()
            let window = try UpdateWindow("\(farDay()) 02:00-03:00")
            daemon.change { $0.windows = [window] }
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job().state == .done)
        }
    }
}
