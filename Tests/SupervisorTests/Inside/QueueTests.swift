import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `The queue` {
        static let orders = [[2, 3, 4], [2, 4, 3], [3, 2, 4], [3, 4, 2], [4, 2, 3], [4, 3, 2]]

        @Test(arguments: orders) func `applies updates by what they need, in whatever order they came`(
            order: [Int]
        ) async throws {
            let daemon = try TestDaemon()
            for number in order {
                try daemon.drop(Sample.update("U\(number)", "8.0.\(number)", from: "8.0.\(number - 1)"))
            }
            #expect(try await daemon.run() == 0)
            for folder in ["SEED", "A", "A1", "B"] {
                #expect(try daemon.history(folder).map(\.update) == ["U2", "U3", "U4"])
            }
            #expect(try Set(daemon.versions().values) == ["8.0.4"])
        }

        @Test func `keeps an update whose dependency nobody has`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.2"))
            #expect(try await daemon.run() == 5)
            let job = try daemon.job()
            #expect(job.state == .waiting && job.waitingFor.contains("8.0.2"))
            #expect(daemon.workers.calls.isEmpty)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(try Set(daemon.versions().values) == ["8.0.3"])
        }

        @Test func `waits for a job that holds its folders`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail("A", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.workers.succeed()
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.1"))
            #expect(try await daemon.run() == 5)
            let job = try daemon.job(2)
            #expect(job.state == .waiting && job.waitingFor.contains("job 1"))
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job(1).state == .done && daemon.job(2).state == .done)
            #expect(try Set(daemon.versions().values) == ["8.0.3"])
        }

        @Test func `lets a corrected archive put back what failed, and then applies it`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail("A", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.workers.succeed()
            try daemon.drop(Sample.update(sum: "b"))
            #expect(try await daemon.run() == 0)
            #expect(daemon.workers.folders(.revert, job: 1) == ["A"])
            #expect(try daemon.job(2).state == .done && Set(daemon.versions().values) == ["8.0.2"])
            #expect(daemon.locked.isEmpty)
        }

        @Test func `goes on with a failed job when its archive is dropped again`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail("A", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.workers.succeed()
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(try daemon.job(1).state == .done)
            #expect(throws: (any Error).self) { try daemon.job(2) }
            #expect(daemon.locked.isEmpty)
        }

        @Test func `lets a test look at folders that a failed job holds`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail("A", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.1"), options: #"{"operation":"test"}"#)
            try await daemon.run()
            #expect(try daemon.job(2).state.isFinal)
            #expect(daemon.locked == ["A", "A1"])
        }
    }
}
