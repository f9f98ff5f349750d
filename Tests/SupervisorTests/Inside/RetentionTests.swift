import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `Retention` {
        @Test(arguments: [1, 2, 3]) func `keeps the way back from so many jobs, and no more`(retain: Int) async throws {
            let daemon = try TestDaemon()
            daemon.configuration.daemon.retain = retain
            for number in 2...5 {
                try daemon.drop(Sample.update("U\(number)", "8.0.\(number)", from: "8.0.\(number - 1)"))
                try await daemon.run()
            }
            #expect(try daemon.names("state/archives").count == retain)
            #expect(Set(daemon.workers.calls.filter { $0.phase == .forget }.map(\.job)) == Set(1...(4 - retain)))
            let oldest = 5 - retain
            for job in (oldest...4).reversed() {
                #expect(try await daemon.ask(#"{"command":"rollback","job":\#(job)}"#).ok)
            }
            #expect(try Set(daemon.versions().values) == ["8.0.\(oldest)"])
            // One more is not kept.
            if oldest > 1 { _ = try await daemon.ask(#"{"command":"rollback","job":\#(oldest - 1)}"#) }
            #expect(try Set(daemon.versions().values) == ["8.0.\(oldest)"])
        }

        @Test func `keeps what a failed job holds, however old it is`() async throws {
            let daemon = try TestDaemon()
            daemon.configuration.daemon.retain = 1
            daemon.workers.fail("B", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.workers.succeed()
            for number in 1...3 {
                try daemon.drop(Sample.update("T\(number)", "8.0.1.\(number)"), options: #"{"operation":"test"}"#)
                try await daemon.run()
            }
            #expect(daemon.workers.folders(.forget).isEmpty)
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job().state == .done)
        }

        @Test func `keeps histories and traces`() async throws {
            let daemon = try TestDaemon()
            daemon.configuration.daemon.retain = 1
            for number in 2...4 {
                try daemon.drop(Sample.update("U\(number)", "8.0.\(number)", from: "8.0.\(number - 1)"))
                try await daemon.run()
            }
            #expect(try daemon.history("A1").map(\.job) == [1, 2, 3])
            #expect(daemon.has("state/jobs/1/job.json") && daemon.has("state/jobs/1/traces"))
        }

        @Test func `is tried again where a folder could not be rid of what it keeps`() async throws {
            let daemon = try TestDaemon()
            daemon.configuration.daemon.retain = 1
            daemon.workers.fail("B", .forget)
            for number in 2...3 {
                try daemon.drop(Sample.update("U\(number)", "8.0.\(number)", from: "8.0.\(number - 1)"))
                try await daemon.run()
            }
            #expect(daemon.log.has("cannot remove what job 1 keeps in payroll/B"))
            daemon.workers.succeed()
            daemon.workers.forgetCalls()
            try await daemon.run()
            #expect(daemon.workers.folders(.forget, job: 1) == ["B"])
        }
    }
}
