import Foundation
import PatchModel
import PatchStore
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `An approval` {
        private func waiting() async throws -> TestDaemon {
            let daemon = try TestDaemon()
            daemon.change { $0.approval = .required }
            try daemon.drop(Sample.update(optional: true))
            #expect(try await daemon.run() == 6)
            return daemon
        }

        @Test func `is waited for with a plan, and nothing is done before it`() async throws {
            let daemon = try await waiting()
            #expect(try daemon.job().state == .pendingApproval)
            #expect(Set(daemon.workers.calls.map(\.phase)) == [.survey])
            #expect(try daemon.state.plan(job: 1)?.endpoints.first?.folders.count == 4)
            #expect(daemon.locked.isEmpty)
        }

        @Test func `lets the job go on`() async throws {
            let daemon = try await waiting()
            #expect(try await daemon.ask(#"{"command":"approve","job":1}"#).ok)
            #expect(try daemon.job().state == .done && Set(daemon.versions().values) == ["8.0.2"])
            #expect(try daemon.job().approval?.by?.uid == geteuid())
        }

        @Test func `of the archive that waits lets the job go on`() async throws {
            let daemon = try await waiting()
            let sum = try daemon.job().sha256.uppercased()
            #expect(try await daemon.ask(#"{"command":"approve","job":1,"sha256":"\#(sum)"}"#).ok)
            #expect(try daemon.job().state == .done)
        }

        @Test func `of another archive is refused`() async throws {
            let daemon = try await waiting()
            let answer = try await daemon.ask(#"{"command":"approve","job":1,"sha256":"ab"}"#)
            #expect(!answer.ok && answer.code == "archiveDiffers")
            #expect(try daemon.job().state == .pendingApproval)
        }

        @Test func `may leave out folders`() async throws {
            let daemon = try await waiting()
            #expect(try await daemon.ask(#"{"command":"approve","job":1,"options":{"exclude":["A"]}}"#).ok)
            #expect(try daemon.job().state == .done && Set(daemon.workers.folders(.apply)) == ["SEED", "B"])
        }

        @Test func `may switch off patches`() async throws {
            let daemon = try await waiting()
            #expect(try await daemon.ask(#"{"command":"approve","job":1,"options":{"patches":{"extra":false}}}"#).ok)
            #expect(try daemon.job().state == .done)
            #expect(try daemon.state.folder("SEED", of: "payroll")?.patches == ["core": true, "extra": false])
        }

        @Test(arguments: [
            #"{"exclude":["NONE"]}"#, #"{"operation":"test"}"#, #"{"endpoints":["payroll"]}"#, #"{"x":1}"#,
        ])
        func `with options that make no sense is refused`(options: String) async throws {
            let daemon = try await waiting()
            let answer = try await daemon.ask(#"{"command":"approve","job":1,"options":\#(options)}"#)
            #expect(!answer.ok && answer.code == "optionsInvalid")
            #expect(try daemon.job().state == .pendingApproval)
        }

        @Test func `of a plan that is another one by now is asked for again`() async throws {
            let daemon = try await waiting()
            daemon.change { $0.folders.removeLast() }
            let answer = try await daemon.ask(#"{"command":"approve","job":1}"#)
            #expect(answer.ok)
            let job = try daemon.job()
            #expect(job.state == .pendingApproval && job.message.contains("approved another plan"))
            #expect(daemon.workers.folders(.apply).isEmpty)
            #expect(try await daemon.ask(#"{"command":"approve","job":1}"#).ok)
            #expect(try daemon.job().state == .done)
        }

        @Test func `that is declined ends the job`() async throws {
            let daemon = try await waiting()
            #expect(try await daemon.ask(#"{"command":"decline","job":1}"#).ok)
            #expect(try daemon.job().state == .declined && daemon.version("SEED") == "8.0.1")
            #expect(try await daemon.run() == 0)
        }

        @Test func `that the endpoint asks for no more is not waited for`() async throws {
            let daemon = try await waiting()
            daemon.change { $0.approval = .none }
            #expect(try await daemon.run() == 0)
            #expect(try daemon.job().state == .done)
        }

        @Test func `is waited for by each job on its own`() async throws {
            let daemon = try await waiting()
            try daemon.drop(Sample.update("B", "8.0.1.7"))
            #expect(try await daemon.run() == 6)
            #expect(try await daemon.ask(#"{"command":"approve","job":2}"#).ok)
            #expect(try daemon.job(2).state == .done && daemon.job(1).state == .pendingApproval)
        }

        @Test func `is asked for no test`() async throws {
            let daemon = try TestDaemon()
            daemon.change { $0.approval = .required }
            try daemon.drop(Sample.update(), options: #"{"operation":"test"}"#)
            #expect(try await daemon.run() == 0)
        }

        @Test func `of a job that waits can be cancelled instead`() async throws {
            let daemon = try await waiting()
            #expect(try await daemon.ask(#"{"command":"cancel","job":1}"#).ok)
            #expect(try daemon.job().state == .cancelled)
        }
    }
}
