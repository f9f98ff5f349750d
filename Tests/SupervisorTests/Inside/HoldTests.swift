import Glibc
import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `A hold` {
        @Test(arguments: ["ALL", "payroll", "payroll.SEED", "payroll.A1"])
        func `keeps an update away until it is removed`(name: String) async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            try daemon.hold(name, "backup\n")
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
            let job = try daemon.job()
            #expect(job.state == .waiting && job.waitingFor.contains("backup"))
            #expect(daemon.workers.calls.isEmpty && daemon.locked.isEmpty)
            try daemon.remove("spool/holds/\(name).lock")
            #expect(try await daemon.run() == 0)
            #expect(try Set(daemon.versions().values) == ["8.0.2"])
        }

        @Test(arguments: ["stock", "stock.SEED", "payroll.NONE", "pay"])
        func `on something else keeps nothing away`(name: String) async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            try daemon.hold(name)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
        }

        @Test func `on a folder beside those that are changed keeps nothing away`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update(), options: #"{"exclude":["A","B"]}"#)
            try await daemon.run()
            try daemon.hold("payroll.A1")
            try daemon.drop(Sample.update(), options: #"{"only":["B"]}"#)
            #expect(try await daemon.run() == 0)
            #expect(daemon.workers.folders(.apply) == ["SEED", "B"])
        }

        @Test func `on a folder below one that is changed keeps its parent, too`() async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            try daemon.hold("payroll.A1")
            try daemon.drop(Sample.update(), options: #"{"exclude":["A1"]}"#)
            #expect(try await daemon.run() == 5)
        }

        @Test func `that is over is removed, and holds nothing`() async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            try daemon.hold("ALL", "until: 2020-01-01T00:00:00Z\n")
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(!daemon.has("spool/holds/ALL.lock"))
        }

        @Test func `stands until its time`() async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            try daemon.hold("ALL", "until: 2999-01-01T00:00:00Z\n")
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
            #expect(daemon.has("spool/holds/ALL.lock"))
            daemon.clocks.set(to: try #require(Timestamp("2998-12-31T23:59:59.9Z")))
            #expect(try await daemon.run() == 5)
            daemon.clocks.set(to: try #require(Timestamp("2999-01-01T00:00:00Z")))
            #expect(try await daemon.run() == 0)
            #expect(!daemon.has("spool/holds/ALL.lock"))
        }

        @Test func `stands as long as its process lives`() async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            try daemon.hold("payroll", "pid: \(getpid())\n")
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
        }

        @Test func `ends with its process`() async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            // Above what the kernel ever gives.
            try daemon.hold("payroll", "pid: 999999999\n")
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(!daemon.has("spool/holds/payroll.lock"))
        }

        @Test(arguments: ["until: tomorrow", "pid: -1", "pid: x", "until:"])
        func `with an end that cannot be read stands`(text: String) async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            try daemon.hold("payroll", text + "\n")
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
        }

        @Test(arguments: [FakeWorkers.Phase.survey, .stage])
        func `that comes before the locks lets the job wait in its place`(phase: FakeWorkers.Phase) async throws {
            let daemon = try TestDaemon()
            daemon.workers.before { [weak daemon] start in
                if start.phase == phase { try? daemon?.hold("payroll.B", "dump\n") }
            }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
            #expect(try daemon.job().state == .waiting && daemon.job().waitingFor.contains("dump"))
            #expect(daemon.locked.isEmpty && daemon.workers.folders(.apply).isEmpty)
            daemon.workers.before { _ in }
            try daemon.remove("spool/holds/payroll.B.lock")
            #expect(try await daemon.run() == 0)
        }

        @Test func `that comes after the locks waits for the job`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.before { [weak daemon] start in
                if start.phase == .apply { try? daemon?.hold("payroll") }
            }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(try daemon.job().state == .done)
        }

        @Test func `lets what came later wait behind what it keeps away`() async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            try daemon.hold("payroll.A")
            try daemon.drop(Sample.update())
            try daemon.drop(Sample.update("B", "8.0.1.5", from: "8.0.1"), options: #"{"only":["B"]}"#)
            #expect(try await daemon.run() == 5)
            #expect(try daemon.job(2).state == .waiting && daemon.workers.folders(.apply).isEmpty)
        }

        @Test func `keeps a rollback away, too`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            try daemon.hold("payroll")
            #expect(try await daemon.ask(#"{"command":"rollback","job":1}"#).ok)
            #expect(try daemon.job(2).state == .waiting && daemon.version("SEED") == "8.0.2")
            try daemon.remove("spool/holds/payroll.lock")
            #expect(try await daemon.run() == 0)
            #expect(try daemon.version("SEED") == "8.0.1")
        }

        @Test func `keeps no test away`() async throws {
            let daemon = try TestDaemon()
            try await daemon.run()
            try daemon.hold("ALL")
            try daemon.drop(Sample.update(), options: #"{"operation":"test"}"#)
            #expect(try await daemon.run() == 0)
        }
    }
}
