import Glibc
import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `Windows` {
        private static let window = "Sun 02:00-03:00"

        /// A time of November 2026, which begins on a Sunday, by this host's zone.
        private func set(_ daemon: TestDaemon, to day: Int, _ hour: Int, _ minute: Int = 0) {
            var fields = tm()
            (fields.tm_year, fields.tm_mon, fields.tm_mday) = (126, 10, Int32(day))
            (fields.tm_hour, fields.tm_min, fields.tm_isdst) = (Int32(hour), Int32(minute), -1)
            daemon.clocks.set(to: Timestamp(nanoseconds: Int64(mktime(&fields)) * 1_000_000_000))
        }

        @Test func `that are closed let a job wait, and say until when`() async throws {
            let daemon = try TestDaemon()
            let window = try UpdateWindow(Self.window)
            daemon.change { $0.windows = [window] }
            try daemon.drop(Sample.update())
            for (day, hour, minute) in [(10, 12, 0), (15, 1, 59), (15, 3, 0)] {
                set(daemon, to: day, hour, minute)
                #expect(try await daemon.run() == 5)
            }
            #expect(
                try daemon.job().waitingFor.hasPrefix("the window Sun 02:00-03:00, which opens Sun 2026-11-22 02:00 "))
            #expect(daemon.workers.calls.isEmpty)
            set(daemon, to: 22, 2)
            #expect(try await daemon.run() == 0)
        }

        @Test func `of which one is open let it in`() async throws {
            let daemon = try TestDaemon()
            let windows = try [UpdateWindow(Self.window), UpdateWindow("23:58-00:01")]
            daemon.change { $0.windows = windows }
            set(daemon, to: 10, 23, 59)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
        }

        @Test func `that close later keep no job that has begun`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail("A", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.workers.succeed()
            let window = try UpdateWindow(Self.window)
            daemon.change { $0.windows = [window] }
            set(daemon, to: 10, 12)
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job().state == .done)
        }
    }
}
