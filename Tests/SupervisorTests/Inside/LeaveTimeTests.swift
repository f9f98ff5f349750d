import Foundation
import PatchFiles
import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `The time that applications get to leave` {
        private func update(critical: Bool = false) throws -> CheckedUpdate { try Sample.update(critical: critical) }

        /// Seconds that a run takes by the clocks.
        private func duration(_ daemon: TestDaemon, code: Int32 = 0) async throws -> Double {
            let began = daemon.clocks.seconds
            #expect(try await daemon.run() == code)
            return daemon.clocks.seconds - began
        }

        @Test func `begins with the lead time, and the lock says until when`() async throws {
            let daemon = try TestDaemon()
            daemon.change { $0.leadTime = 300 }
            let deadlines = Seen()
            let began = daemon.clocks.now
            daemon.clocks.whenWaitedFor { [weak daemon] in
                guard let path = daemon?.configuration.endpoints[0].folders[0].path,
                    let bytes = FileManager.default.contents(atPath: "\(path)/\(UpdateLock.fileName)"),
                    let lock = try? JSONDecoder().decode(UpdateLock.self, from: bytes), let deadline = lock.deadline
                else { return }
                deadlines.note(["\(lock.code) \(lock.phase) \(Int(deadline.seconds(since: began).rounded()))"])
            }
            try daemon.drop(update())
            #expect(try await (300..<301).contains(duration(daemon)))
            #expect(Set(deadlines.all) == ["9998 announced 300"])
            #expect(try daemon.job().state == .done)
        }

        @Test func `has no lead time where the update is critical`() async throws {
            let daemon = try TestDaemon()
            daemon.change { $0.leadTime = 300 }
            try daemon.drop(update(critical: true))
            #expect(try await duration(daemon) < 1)
        }

        @Test(arguments: [-86400.0, 86400]) func `is not changed by a clock that somebody sets`(by: Double) async throws
        {
            let daemon = try TestDaemon()
            daemon.change { $0.leadTime = 300 }
            daemon.clocks.whenWaitedFor { [weak daemon] in
                guard let clocks = daemon?.clocks else { return }
                clocks.set(to: clocks.now.adding(seconds: by))
            }
            try daemon.drop(update())
            #expect(try await (300..<301).contains(duration(daemon)))
        }

        @Test func `goes on where it was after a power cut in it`() async throws {
            let daemon = try TestDaemon()
            daemon.change { $0.leadTime = 300 }
            try daemon.drop(update())
            let left = Seen()
            daemon.clocks.whenWaitedFor { [weak daemon] in
                // In the middle of it.
                guard let daemon, left.all.count < 100 else { return }
                left.note(["waited"])
                if left.all.count == 100 { _ = daemon.photograph() }
            }
            try await daemon.run()
            try daemon.restorePhotograph()
            daemon.clocks.set(to: try #require(try daemon.job().announcedAt).adding(seconds: 100))
            daemon.clocks.whenWaitedFor {}
            #expect(try await (200..<201).contains(duration(daemon)))
        }

        @Test func `is grace and ten seconds for who stays inside, then the job waits for him`() async throws {
            let daemon = try TestDaemon()
            daemon.change { $0.grace = 30 }
            let path = try #require(daemon.configuration.endpoints[0].folders.last?.path)
            let inside = open(path, O_RDONLY | O_DIRECTORY)
            #expect(flock(inside, LOCK_SH) == 0)
            try daemon.drop(update())
            #expect(try await (40..<41).contains(duration(daemon, code: 5)))
            #expect(try daemon.job().waitingFor.contains("to leave payroll/B, in which it stayed beyond grace (30 s)"))
            #expect(daemon.locked.isEmpty && daemon.workers.folders(.apply).isEmpty)
            close(inside)
            #expect(try await duration(daemon) < 1)
            #expect(try daemon.job().state == .done)
        }
    }
}
