import Foundation
import PatchModel
import PatchStore
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `A canary` {
        /// SEED above T, which is a test folder, and A and B; A above A1.
        private static let tree: [(name: String, parent: String?)] =
            Sample.tree + [("T", "SEED")]
        private static let hour = CanaryPause.seconds(3600)

        private func daemon(
            _ canary: [String] = ["T"], _ pause: CanaryPause = hour, behind: Endpoint.Behind = .locked
        ) throws -> TestDaemon {
            let daemon = try TestDaemon { [Sample.endpoint(below: $0, Self.tree)] }
            daemon.change { endpoint in
                endpoint.folders[4].role = .test
                (endpoint.canary, endpoint.canaryPause, endpoint.behind) = (canary, pause, behind)
            }
            return daemon
        }

        private func paused(
            _ canary: [String] = ["T"], _ pause: CanaryPause = hour, behind: Endpoint.Behind = .locked
        ) async throws -> TestDaemon {
            let daemon = try daemon(canary, pause, behind: behind)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == (pause == .approval ? 6 : 5))
            return daemon
        }

        /// Units of these folders that run, and of the others that do not.
        private func stopUnits(of folders: [String], _ daemon: TestDaemon, _ more: [String] = []) {
            daemon.change { $0.tasks.stop = more + ["app@%f.service"] }
            for name in more { daemon.units.add(name) }
            for folder in daemon.configuration.endpoints[0].folders.map(\.name) {
                daemon.units.add("app@\(folder).service", runs: folders.contains(folder))
            }
        }

        private let approve = #"{"command":"approve","job":1}"#

        // MARK: First part

        @Test func `of type test runs ahead, and nobody else is touched`() async throws {
            let daemon = try daemon()
            let locked = Seen()
            daemon.workers.before { [weak daemon] start in
                if start.phase == .apply { locked.note(daemon?.locked ?? []) }
            }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
            let job = try daemon.job()
            #expect(job.state == .waiting && job.waitingFor.hasPrefix("canary T, until "))
            #expect(locked.all == ["T"] && daemon.locked.isEmpty)
            #expect(daemon.workers.folders(.stage) == ["T"] && daemon.workers.folders(.apply) == ["T"])
            #expect(try daemon.version("T") == "8.0.2" && daemon.version("SEED") == "8.0.1")
            #expect(try daemon.state.folder("T", of: "payroll")?.diverged == true)
        }

        @Test func `of another type goes with its ancestors; the others are behind, locked or usable`() async throws {
            let locked = try await paused(["A"])
            #expect(locked.workers.folders(.apply) == ["SEED", "A"])
            #expect(Set(locked.locked) == ["A1", "B", "T"])
            let usable = try await paused(["A"], behind: .usable)
            #expect(usable.locked.isEmpty)
        }

        @Test func `that fails is the only one that is hurt, and resume goes on`() async throws {
            let daemon = try daemon()
            daemon.workers.fail("T", .apply, .script)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(
                try daemon.states() == ["SEED": .pending, "A": .pending, "A1": .pending, "B": .pending, "T": .failed])
            #expect(daemon.locked == ["T"])
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job().isPaused && daemon.version("SEED") == "8.0.1")
            #expect(try await daemon.ask(approve).ok)
            #expect(try daemon.job().state == .done && Set(daemon.versions().values) == ["8.0.2"])
        }

        @Test func `blocks what is below it when it fails, though that has not its turn`() async throws {
            let daemon = try daemon(["A"])
            daemon.workers.fail("A", .apply, .script)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try daemon.states()["A1"] == .blocked && daemon.states()["B"] == .pending)
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":1,"skip":["A"]}"#).ok)
            #expect(try daemon.states()["A1"] == .excluded)
        }

        @Test func `that is put back ends the job, and nothing else was done`() async throws {
            let daemon = try daemon()
            daemon.change { $0.onFailure = .revert }
            daemon.workers.fail("T", .apply, .script)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try Set(daemon.versions().values) == ["8.0.1"])
            #expect(daemon.locked.isEmpty && daemon.workers.folders(.apply) == ["T"])
        }

        @Test func `that all were left out of lets the others go on without a pause`() async throws {
            let daemon = try daemon()
            daemon.workers.fail("T", .apply, .script)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try await daemon.ask(#"{"command":"resume","job":1,"skip":["T"]}"#).ok)
            #expect(try daemon.job().state == .done && daemon.version("B") == "8.0.2" && daemon.version("T") == "8.0.1")
        }

        @Test func `has no effect where the job leaves it out, or was asked for by an approver`() async throws {
            let daemon = try daemon()
            try daemon.drop(Sample.update(), options: #"{"exclude":["T"]}"#)
            #expect(try await daemon.run() == 0)
            #expect(try await daemon.ask(#"{"command":"catchup","target":"payroll/T"}"#).ok)
            #expect(try daemon.job(2).state == .done && daemon.version("T") == "8.0.2")
        }

        @Test func `is planned and warned of in a test, which changes nothing`() async throws {
            let daemon = try daemon(["A"])
            try daemon.drop(Sample.update(), options: #"{"operation":"test"}"#)
            #expect(try await daemon.run() == 0)
            let plan = try daemon.state.plan(job: 1)?.endpoints.first
            #expect(plan?.canary?.folders == ["SEED", "A"] && plan?.warnings.count == 1)
            #expect(try daemon.job().canary == nil)
        }

        // MARK: The pause

        @Test func `is followed when its pause is over, by a later run as well`() async throws {
            let daemon = try await paused()
            daemon.clocks.advance(by: 3599)
            #expect(try await daemon.run() == 5 && daemon.job().isPaused)
            daemon.clocks.advance(by: 1)
            #expect(try await daemon.run() == 0)
            #expect(try daemon.job().state == .done && Set(daemon.versions().values) == ["8.0.2"])
            #expect(daemon.workers.folders(.apply).first == "T")
            #expect(try daemon.history("T").count == 1 && daemon.state.folder("T", of: "payroll")?.diverged == false)
        }

        @Test func `is followed at once where there is no pause, and locked apart all the same`() async throws {
            let daemon = try daemon(["T"], .seconds(0))
            stopUnits(of: ["T", "B"], daemon)
            let locked = Seen()
            daemon.workers.before { [weak daemon] start in
                if start.phase == .apply, start.folder == "T" { locked.note(daemon?.locked ?? []) }
            }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(locked.all == ["T"])
            #expect(try Set(daemon.versions().values) == ["8.0.2"])
            #expect(daemon.units.runs("app@T.service") && daemon.units.runs("app@B.service"))
            #expect(
                daemon.units.journal.prefix { $0.hasPrefix("stop") } == ["stop app@T.service", "stop app@B.service"])
        }

        @Test func `keeps its place: what changes folders waits, a test does not`() async throws {
            let daemon = try await paused()
            try daemon.drop(Sample.update("B", "8.0.1.5"))
            try daemon.drop(Sample.update("C", "8.0.4"), options: #"{"operation":"test"}"#)
            #expect(try await daemon.run() == 5)
            #expect(try daemon.job(2).waitingFor.hasPrefix("job 1, ") && daemon.job(3).state == .done)
            #expect(try daemon.version("SEED") == "8.0.1")
            #expect(
                try await daemon.ask(#"{"command":"baseline","target":"payroll/B","version":"8.0.2"}"#).code
                    == "wrongState")
            #expect(try await daemon.ask(#"{"command":"rollback","target":"payroll/T"}"#).ok)
            #expect(try daemon.job(4).waitingFor.hasPrefix("job 1, ") && daemon.version("T") == "8.0.2")
        }

        @Test func `with an approval waits until an approver gives it, of this archive, without options`() async throws
        {
            let daemon = try await paused(["T"], .approval)
            #expect(try daemon.job().waitingFor == "canary T, and an approval: patchctl approve 1")
            #expect(try await daemon.run() == 6)
            #expect(daemon.notifications.lines.last { $0 != "READY" } == "1 job waits for approval (1)")
            let other = try await daemon.ask(#"{"command":"approve","job":1,"sha256":"ab"}"#)
            #expect(other.code == "archiveDiffers")
            let options = try await daemon.ask(#"{"command":"approve","job":1,"options":{"exclude":["B"]}}"#)
            #expect(options.code == "optionsInvalid")
            #expect(try daemon.job().isPaused)
            #expect(try await daemon.ask(approve).ok)
            let job = try daemon.job()
            #expect(job.state == .done && job.canary?.approver?.uid == geteuid())
            let audit = try String(contentsOfFile: "\(daemon.root)/state/audit.jsonl", encoding: .utf8)
            let lines = audit.split(separator: "\n").filter { $0.contains(#""command":"approve""#) }
            #expect(lines.map { $0.contains(#""ok":true"#) } == [false, false, true], "\(audit)")
            #expect(lines.last?.contains(job.sha256) == true)
            #expect(try await daemon.ask(approve).code == "wrongState")
        }

        @Test(arguments: ["cancel", "decline"])
        func `that is ended in the pause keeps what was done, which can be rolled back`(command: String) async throws {
            let daemon = try await paused(["A"])
            let answer = try await daemon.ask(#"{"command":"\#(command)","job":1}"#)
            #expect(answer.ok && answer.message.contains("(A1, B, T); drop the archive again"), "\(answer.message)")
            #expect(
                try daemon.job().state == .cancelled && daemon.version("A") == "8.0.2" && daemon.version("B") == "8.0.1"
            )
            #expect(Set(daemon.locked) == ["A1", "B", "T"])
            #expect(try await daemon.ask(#"{"command":"rollback","job":1}"#).ok)
            #expect(try daemon.job(2).state == .done && Set(daemon.versions().values) == ["8.0.1"])
            #expect(daemon.locked.isEmpty)
        }

        @Test func `is told to the command notify`() async throws {
            let daemon = try daemon()
            daemon.configuration.daemon.notify = "tell"
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(daemon.workers.notices.contains { $0.contains(#""event":"waiting""#) && $0.contains("canary T") })
        }

        @Test func `goes on as it was planned, whatever the configuration says by then`() async throws {
            let daemon = try await paused()
            let until = try daemon.job().canary?.until
            daemon.change { ($0.canary, $0.canaryPause) = ([], .approval) }
            #expect(try await daemon.run() == 5)
            #expect(try daemon.job().isPaused && daemon.job().canary?.until == until)
            // Folders that the job has yet to come to stay in effect.
            daemon.change { $0.folders.removeAll { $0.name == "B" } }
            #expect(try await daemon.ask(approve).ok)
            #expect(try daemon.job().state == .done && daemon.version("B") == "8.0.2")
        }

        @Test func `lets the tasks run of what is free`() async throws {
            let daemon = try daemon(["A"])
            stopUnits(of: ["SEED", "A", "B"], daemon, ["all.service"])
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
            #expect(["all.service", "app@SEED.service", "app@A.service"].allSatisfy(daemon.units.runs))
            #expect(!daemon.units.runs("app@B.service"))
            let before = daemon.units.journal.count
            #expect(try await daemon.ask(approve).ok)
            #expect(daemon.units.journal.dropFirst(before).first == "stop all.service")
            #expect(
                ["all.service", "app@SEED.service", "app@A.service", "app@B.service"].allSatisfy(daemon.units.runs))
        }

        @Test func `whose task does not come up again ends the job before the others begin`() async throws {
            let daemon = try daemon()
            stopUnits(of: ["T"], daemon)
            daemon.units.refuseToStart("app@T.service")
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            let job = try daemon.job()
            #expect(job.state == .failed && job.code == "unit" && job.units?.keys.first == "app@T.service")
            #expect(try daemon.states()["T"] == .done && daemon.states()["B"] == .pending && daemon.locked.isEmpty)
            daemon.units.refuseToStart("app@T.service", nil)
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job().isPaused && daemon.units.runs("app@T.service"))
            #expect(try await daemon.ask(approve).ok)
            #expect(try daemon.job().state == .done)
        }

        @Test func `is not followed while a task is down that a crash kept from being seen`() async throws {
            let daemon = try daemon()
            stopUnits(of: ["T"], daemon)
            daemon.log.onLine { [weak daemon] line in
                if line.contains("waits for canary") { _ = daemon?.photograph() }
            }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
            daemon.log.onLine { _ in }
            // The power goes after the pause has begun, and before the tasks are started.
            try daemon.restorePhotograph()
            daemon.units.refuseToStart("app@T.service")
            #expect(try await daemon.run() == 1)
            #expect(try daemon.job().isPaused && daemon.locked.isEmpty)
            #expect(try await daemon.ask(approve).ok)
            #expect(try daemon.job().state == .failed && daemon.job().code == "unit")
            #expect(daemon.workers.folders(.apply) == ["T"])
            daemon.units.refuseToStart("app@T.service", nil)
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job().state == .done && Set(daemon.versions().values) == ["8.0.2"])
        }

        @Test func `comes before a job that is resumed in its pause`() async throws {
            let daemon = try daemon()
            daemon.workers.fail("B", .stage, .space)
            try daemon.drop(Sample.update("B", "8.0.1.5"))
            try await daemon.run()
            #expect(try await daemon.ask(approve).ok)
            #expect(try daemon.job().state == .failed)
            daemon.workers.succeed()
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
            #expect(try daemon.job(2).isPaused)
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job(1).waitingFor.hasPrefix("job 2, which pauses after its canary"))
            #expect(try await daemon.ask(#"{"command":"approve","job":2}"#).ok)
            #expect(try daemon.job(2).state == .done)
            // What it was planned for is over.
            #expect(try daemon.job().state == .failed && daemon.job().code == "dependency")
            #expect(try Set(daemon.versions().values) == ["8.0.2"] && daemon.locked.isEmpty)
        }

        @Test func `has its hooks run in the pause where all may be taken back, behind the unlock`() async throws {
            let daemon = try daemon()
            daemon.change { endpoint in
                endpoint.onFailure = .revertAll
                endpoint.hooks.after = "tell"
            }
            let locked = Seen()
            daemon.workers.before { [weak daemon] start in
                if start.phase == .finish { locked.note(["in"] + (daemon?.locked ?? [])) }
            }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 5)
            #expect(locked.all == ["in"] && daemon.workers.folders(.finish) == ["T"])
            #expect(try await daemon.ask(approve).ok)
            #expect(daemon.workers.folders(.finish).count == 5 && Set(daemon.workers.folders(.finish)).count == 5)
        }

        // MARK: The others

        @Test func `is followed after 9998 and holds, as at the start, and locks come before stops`() async throws {
            let daemon = try await paused()
            daemon.change { endpoint in
                endpoint.leadTime = 300
                endpoint.tasks.stop = ["all.service"]
            }
            daemon.units.add("all.service")
            let atStop = Seen()
            daemon.units.onStop { [weak daemon] _ in atStop.note(daemon?.locked ?? []) }
            try daemon.hold("payroll.B", "dump\n")
            #expect(try await daemon.ask(approve).ok)
            let job = try daemon.job()
            #expect(job.state == .waiting && job.waitingFor.contains("dump") && !job.isPaused)
            #expect(daemon.locked.isEmpty && daemon.workers.folders(.apply) == ["T"])
            #expect(try daemon.state.overview(job: 1) != nil)
            try daemon.remove("spool/holds/payroll.B.lock")
            #expect(try await daemon.run() == 0)
            #expect(Set(atStop.all) == ["SEED", "A", "A1", "B", "T"])
            #expect(daemon.log.has("applications should close"))
        }

        @Test func `is followed by nobody while a hold stands that came before the others were locked`() async throws {
            let daemon = try await paused()
            daemon.workers.before { [weak daemon] start in
                if start.phase == .stage, start.folder == "B" { try? daemon?.hold("payroll.B", "dump\n") }
            }
            #expect(try await daemon.ask(approve).ok)
            #expect(try daemon.job().state == .waiting && daemon.job().waitingFor.contains("dump"))
            #expect(daemon.locked.isEmpty && daemon.workers.folders(.apply) == ["T"])
            #expect(try daemon.state.overview(job: 1) != nil && daemon.job().canary?.stage == .rest)
            daemon.workers.before { _ in }
            try daemon.remove("spool/holds/payroll.B.lock")
            #expect(try await daemon.run() == 0)
            #expect(try daemon.job().state == .done && daemon.history("T").count == 1)
        }

        @Test func `is not kept away by a hold on one of the others, which then wait`() async throws {
            let daemon = try daemon()
            try await daemon.run()
            try daemon.hold("payroll.B", "dump\n")
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.clocks.advance(by: 3600)
            #expect(try await daemon.run() == 5)
            #expect(try daemon.version("T") == "8.0.2" && daemon.job().waitingFor.contains("dump"))
            #expect(try await daemon.ask(#"{"command":"cancel","job":1}"#).ok)
            #expect(try daemon.job().state == .cancelled && daemon.version("SEED") == "8.0.1")
        }

        @Test func `stays done when one of the others fails, also where that takes them all back`() async throws {
            let daemon = try await paused()
            daemon.change { $0.onFailure = .revertAll }
            daemon.workers.fail("B", .apply, .script)
            #expect(try await daemon.ask(approve).ok)
            #expect(try daemon.job().state == .failed)
            #expect(
                try daemon.versions() == ["SEED": "8.0.1", "A": "8.0.1", "A1": "8.0.1", "B": "8.0.1", "T": "8.0.2"])
            #expect(daemon.locked.isEmpty && !daemon.workers.folders(.revert).contains("T"))
        }

        @Test(arguments: [CanaryPause.seconds(0), .seconds(3600)])
        func `is followed after resume where the others could not be staged`(pause: CanaryPause) async throws {
            let daemon = try daemon(["T"], pause)
            stopUnits(of: ["T"], daemon)
            daemon.workers.fail("B", .stage, .space)
            try daemon.drop(Sample.update())
            try await daemon.run()
            if pause != .seconds(0) { #expect(try await daemon.ask(approve).ok) }
            #expect(try daemon.job().state == .failed && daemon.job().code == "space")
            #expect(daemon.locked.isEmpty && daemon.units.runs("app@T.service"))
            #expect(try daemon.states()["SEED"] == .pending)
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job().state == .done && Set(daemon.versions().values) == ["8.0.2"])
            #expect(daemon.workers.folders(.apply).count { $0 == "T" } == 1)
        }

        @Test func `hurts one of forty`() async throws {
            let tenants = (1...40).map { "T\($0)" }
            let daemon = try TestDaemon { root in
                [Sample.endpoint(below: root, [("SEED", nil)] + tenants.map { ($0, "SEED") })]
            }
            daemon.change { endpoint in
                (endpoint.canary, endpoint.canaryPause, endpoint.behind) = (["T1"], .seconds(3600), .usable)
            }
            stopUnits(of: tenants, daemon)
            for tenant in tenants { daemon.workers.fail(tenant, .apply, .script) }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(daemon.workers.folders(.apply) == ["SEED", "T1"] && daemon.locked == ["T1"])
            #expect(tenants.filter { !daemon.units.runs("app@\($0).service") } == ["T1"])
            #expect(try daemon.versions().filter { $0.value != "8.0.1" } == ["SEED": "8.0.2"])
        }
    }
}
