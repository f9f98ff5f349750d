import Foundation
import PatchModel
import PatchStore
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `Units` {
        private func daemon(_ stop: [String] = ["app.timer", "app@%f.service"]) throws -> TestDaemon {
            let daemon = try TestDaemon()
            daemon.change { $0.tasks.stop = stop }
            daemon.units.add("app.service")
            daemon.units.add("app.timer", triggers: ["app.service"])
            for folder in ["SEED", "A", "A1"] { daemon.units.add("app@\(folder).service") }
            daemon.units.add("app@B.service", runs: false)
            return daemon
        }

        @Test func `that start others are stopped before them, and started before them`() async throws {
            let daemon = try daemon()
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            let journal = daemon.units.journal
            #expect(journal.first == "stop app.timer")
            #expect(journal.first { $0.hasPrefix("start") } == "start app.timer")
            let stopped = try #require(journal.lastIndex { $0.hasPrefix("stop") })
            let started = try #require(journal.firstIndex { $0.hasPrefix("start") })
            #expect(stopped < started)
            for name in ["app.timer", "app.service", "app@SEED.service", "app@A.service"] {
                #expect(daemon.units.runs(name))
            }
        }

        @Test func `that did not run are not started`() async throws {
            let daemon = try daemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(!daemon.units.journal.contains { $0.contains("app@B") })
            #expect(!daemon.units.runs("app@B.service"))
        }

        @Test func `are stopped behind the locks, and before the first change`() async throws {
            let daemon = try daemon()
            let (atStop, atChange) = (Seen(), Seen())
            daemon.units.onStop { [weak daemon] _ in atStop.note(daemon?.locked ?? []) }
            daemon.workers.before { [weak daemon] start in
                guard let daemon, start.phase == .apply, start.folder == "SEED" else { return }
                atChange.note(["app.timer", "app@A1.service"].filter { daemon.units.runs($0) })
            }
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(Set(atStop.all) == ["SEED", "A", "A1", "B"])
            #expect(atChange.all.isEmpty)
        }

        @Test func `of folders that stay locked stay down, and come back with them`() async throws {
            let daemon = try daemon(["app@%f.service"])
            daemon.workers.fail("A", .apply)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(daemon.units.runs("app@SEED.service"))
            #expect(!daemon.units.runs("app@A.service") && !daemon.units.runs("app@A1.service"))
            #expect(try daemon.state.keptDown().isSuperset(of: ["app@A.service", "app@A1.service"]))
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(daemon.units.runs("app@A.service") && daemon.units.runs("app@A1.service"))
            #expect(try daemon.state.keptDown().isEmpty)
        }

        /// The second job's end started what the first one's folders keep down.
        @Test(arguments: [false, true])
        func `of folders that two jobs hold stay down until both are over, through a restart`(
            isRollbackFirst: Bool
        ) async throws {
            let daemon = try daemon(["app.timer", "app@%f.service"])
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            daemon.workers.fail("SEED", .apply)
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.2"))
            #expect(try await daemon.run() == 1)
            daemon.workers.fail("A1", .revert)
            #expect(try await daemon.ask(#"{"command":"rollback","endpoint":"payroll","folder":"A1"}"#).ok)
            #expect(try daemon.job(2).state == .failed && daemon.job(3).state == .failed)
            let all = ["app.timer", "app.service", "app@SEED.service", "app@A.service", "app@A1.service"]
            for _ in 0..<2 {
                #expect(Set(daemon.locked) == ["SEED", "A", "A1", "B"])
                #expect(all.filter { daemon.units.runs($0) } == [])
                #expect(try daemon.state.keptDown().isSuperset(of: all))
                try await daemon.run()
            }
            daemon.workers.succeed()
            guard isRollbackFirst else {
                // It would go on in the middle of what the other one undoes.
                let refused = try await daemon.ask(#"{"command":"resume","job":2}"#)
                #expect(!refused.ok && refused.message.contains("resume 3"), "\(refused)")
                #expect(all.filter { daemon.units.runs($0) } == [])
                #expect(try await daemon.ask(#"{"command":"resume","job":2,"skip":["A1"]}"#).ok)
                #expect(daemon.locked == ["A1"] && !daemon.units.runs("app@A1.service"))
                #expect(daemon.units.runs("app@SEED.service") && daemon.units.runs("app.timer"))
                #expect(try daemon.version("A1") == "8.0.2")
                return
            }
            // One of them being over, the other's stay down.
            #expect(try await daemon.ask(#"{"command":"resume","job":3}"#).ok)
            #expect(Set(daemon.locked) == ["SEED", "A", "A1", "B"])
            #expect(all.filter { daemon.units.runs($0) } == [])
            #expect(try await daemon.ask(#"{"command":"resume","job":2,"skip":["A1"]}"#).ok)
            #expect(try daemon.version("A") == "8.0.3" && daemon.version("A1") == "8.0.1")
        }

        /// The configuration that was in effect cannot be read: the folder's unit ran in a folder that was half done.
        @Test func `of a folder that is half done stay down where it cannot be told what was in effect`() async throws {
            let daemon = try daemon(["app@%f.service"])
            daemon.workers.fail("A1", .apply)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            let all = daemon.configuration
            let file = "\(daemon.root)/state/configuration/payroll.json"
            let before = try Data(contentsOf: URL(fileURLWithPath: file))
            try Data().write(to: URL(fileURLWithPath: file))
            for isThere in [true, false] {
                if isThere {
                    daemon.change { $0.folders.removeAll { $0.name == "A1" } }
                } else {
                    daemon.configuration.endpoints = []
                }
                #expect(try await daemon.run() == 1)
                #expect(daemon.has("payroll/A1/update.lock") && !daemon.units.runs("app@A1.service"))
                #expect(try daemon.state.keptDown().contains("app@A1.service"))
            }
            try before.write(to: URL(fileURLWithPath: file))
            daemon.configuration = all
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(daemon.units.runs("app@A1.service") && daemon.locked.isEmpty)
        }

        @Test func `that do not stop end the job before a folder is changed`() async throws {
            let daemon = try daemon()
            daemon.units.refuseToStop("app@A.service")
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try daemon.job().code == "unit" && daemon.workers.folders(.apply).isEmpty)
            #expect(daemon.locked.isEmpty && daemon.units.runs("app.timer"))
        }

        @Test func `that do not come up fail the job, which has done its work, and are tried again`() async throws {
            let daemon = try daemon(["app@%f.service"])
            daemon.units.refuseToStart("app@A.service")
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            let job = try daemon.job()
            #expect(job.state == .failed && job.code == "unit" && job.units?.keys.sorted() == ["app@A.service"])
            #expect(try Set(daemon.versions().values) == ["8.0.2"])
            #expect(daemon.locked.isEmpty)
            #expect(daemon.notifications.lines.last?.contains("1 unit down (app@A.service)") == true)
            daemon.units.refuseToStart("app@A.service", nil)
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(daemon.units.runs("app@A.service"))
        }

        @Test func `that do not exist are a fault before anything is done`() async throws {
            let daemon = try daemon(["none.service"])
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(
                try daemon.job().code == "unit" && daemon.units.journal.isEmpty
                    && daemon.workers.folders(.stage).isEmpty)
        }

        @Test func `for maintenance run meanwhile`() async throws {
            let daemon = try daemon(["app@%f.service"])
            daemon.units.add("sorry.service", runs: false)
            daemon.change { $0.tasks.maintenance = ["sorry.service"] }
            let seen = Seen()
            daemon.workers.before { [weak daemon] start in
                if start.phase == .apply, daemon?.units.runs("sorry.service") == true { seen.note([start.folder]) }
            }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(Set(seen.all) == ["SEED", "A", "A1", "B"])
            #expect(!daemon.units.runs("sorry.service"))
        }

        @Test func `are left alone by a test and by what is not approved`() async throws {
            let daemon = try daemon()
            try daemon.drop(Sample.update(), options: #"{"operation":"test"}"#)
            try await daemon.run()
            daemon.change { $0.approval = .required }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 6)
            #expect(daemon.units.journal.isEmpty)
        }

        @Test func `of two endpoints that both hold them come back with the last one`() async throws {
            let daemon = try TestDaemon { [Sample.endpoint(below: $0), Sample.endpoint("stock", below: $0)] }
            daemon.change { $0.tasks.stop = ["shared.service"] }
            daemon.units.add("shared.service")
            daemon.workers.fail("SEED", .apply)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(!daemon.units.runs("shared.service"))
            #expect(try await daemon.ask(#"{"command":"resume","job":2}"#).ok)
            #expect(daemon.units.runs("shared.service"))
        }
    }
}
