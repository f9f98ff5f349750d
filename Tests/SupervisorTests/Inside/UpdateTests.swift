import Dispatch
import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `An update` {
        struct Tree: CustomTestStringConvertible {
            var testDescription: String
            var folders: [(name: String, parent: String?)]
        }

        static let trees = [
            Tree(testDescription: "one folder", folders: [("SEED", nil)]),
            Tree(testDescription: "a chain", folders: [("SEED", nil), ("A", "SEED"), ("B", "A"), ("C", "B")]),
            Tree(testDescription: "a star", folders: [("SEED", nil), ("A", "SEED"), ("B", "SEED"), ("C", "SEED")]),
            Tree(testDescription: "branches", folders: Sample.tree),
            Tree(
                testDescription: "children first in the file",
                folders: [("A1", "A"), ("A", "SEED"), ("B", "SEED"), ("SEED", nil)]),
        ]

        @Test(arguments: trees) func `raises each folder once, and no child before its parent is done`(
            tree: Tree
        ) async throws {
            let daemon = try TestDaemon { [Sample.endpoint(below: $0, tree.folders)] }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            let order = daemon.workers.folders(.apply)
            #expect(order.sorted() == tree.folders.map(\.name).sorted())
            for (name, parent) in tree.folders {
                guard let parent else { continue }
                let (above, own) = try (#require(order.firstIndex(of: parent)), #require(order.firstIndex(of: name)))
                #expect(above < own)
            }
            #expect(try daemon.versions() == Dictionary(uniqueKeysWithValues: tree.folders.map { ($0.name, "8.0.2") }))
            #expect(try daemon.job().state == .done)
            #expect(daemon.locked.isEmpty)
        }

        @Test func `has siblings worked on side by side`() async throws {
            let daemon = try TestDaemon()
            let (a, b) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            daemon.workers.before { start in
                guard start.phase == .apply else { return }
                // Each waits for the other.
                if start.folder == "A" {
                    a.signal()
                    #expect(b.wait(timeout: .now() + 20) == .success)
                } else if start.folder == "B" {
                    b.signal()
                    #expect(a.wait(timeout: .now() + 20) == .success)
                }
            }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
        }

        @Test func `is looked at and staged in all folders before one is changed`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            let phases = daemon.workers.calls.map(\.phase)
            #expect(
                phases == Array(repeating: .survey, count: 4) + Array(repeating: .stage, count: 4)
                    + Array(repeating: .apply, count: 4))
        }

        @Test func `locks all folders before the first change, and none while it is staged`() async throws {
            let daemon = try TestDaemon()
            let locked = Seen()
            daemon.workers.before { [weak daemon] start in
                if start.phase == .apply, start.folder == "SEED" { locked.note(daemon?.locked ?? []) }
            }
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(Set(locked.all) == ["SEED", "A", "A1", "B"])
            for call in daemon.workers.calls { #expect(call.isLocked == (call.phase == .apply)) }
            #expect(daemon.locked.isEmpty)
        }

        /// Beyond about 124 of them an inotify instance a folder was too many.
        @Test(arguments: [true, false]) func `is applied to hundreds of siblings below one parent`(
            succeeds: Bool
        ) async throws {
            let names = (1...300).map { "T\($0)" }
            let daemon = try TestDaemon {
                [Sample.endpoint(below: $0, [("SEED", nil)] + names.map { ($0, "SEED") })]
            }
            if !succeeds { daemon.workers.fail("T150", .apply) }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == (succeeds ? 0 : 1))
            #expect(daemon.locked == (succeeds ? [] : ["T150"]))
            #expect(try daemon.versions().values.count { $0 == "8.0.2" } == (succeeds ? 301 : 300))
        }

        @Test(arguments: ["SEED", "A", "A1", "B"])
        func `that fails in a folder blocks what is below it, and nothing else`(
            folder: String
        ) async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail(folder, .apply, .script)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            let endpoint = try #require(daemon.configuration.endpoints.first)
            let below = endpoint.descendants(of: folder)
            let states = try daemon.states()
            for (name, state) in states {
                #expect(state == (name == folder ? .failed : below.contains(name) ? .blocked : .done))
            }
            #expect(Set(daemon.locked) == Set([folder] + below))
            let job = try daemon.job()
            #expect(job.state == .failed && job.code == "script")
            for name in below { #expect(daemon.workers.folders(.apply).contains(name) == false) }
        }

        @Test(arguments: ["SEED", "A", "A1", "B"]) func `that does not fit one folder changes none`(
            folder: String
        ) async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail(folder, .survey, .space)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(daemon.workers.folders(.stage).isEmpty && daemon.workers.folders(.apply).isEmpty)
            #expect(Set(daemon.workers.folders(.survey)) == ["SEED", "A", "A1", "B"], "all faults are listed")
            let job = try daemon.job()
            #expect(job.state == .failed && job.code == "space")
            #expect(daemon.locked.isEmpty)
            #expect(try daemon.version(folder) == "8.0.1")
        }

        @Test(arguments: ["SEED", "A", "A1", "B"])
        func `that cannot be staged in one folder changes none, and locks none`(
            folder: String
        ) async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail(folder, .stage, .space)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(daemon.workers.folders(.apply).isEmpty)
            #expect(try daemon.job().code == "space")
            #expect(daemon.locked.isEmpty)
            #expect(try Set(daemon.versions().values) == ["8.0.1"])
        }

        @Test(arguments: [FakeWorkers.Phase.survey, .stage, .apply]) func `goes on when a worker dies`(
            phase: FakeWorkers.Phase
        ) async throws {
            let daemon = try TestDaemon()
            daemon.workers.reply(.dies(3), in: "A", phase)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(daemon.workers.folders(phase).count { $0 == "A" } == 4)
            #expect(try daemon.job().state == .done)
        }

        @Test func `fails where workers die again and again`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.reply(.dies(10000), in: "A", .apply)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try daemon.states() == ["SEED": .done, "A": .failed, "A1": .blocked, "B": .done])
        }

        @Test func `fails where no worker can be started, and is resumed`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.reply(.throwing, in: "B", .apply)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try daemon.states()["B"] == .failed)
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.job().state == .done)
        }

        @Test func `that all folders have already is done without a worker`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.workers.forgetCalls()
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(daemon.workers.calls.isEmpty)
            #expect(try daemon.job(2).state == .done && Set(daemon.states(2).values) == [.upToDate])
        }

        @Test(arguments: [
            (#"{"only":["A"]}"#, ["A", "A1"]), (#"{"exclude":["A"]}"#, ["B", "SEED"]),
            (#"{"exclude":["A1","B"]}"#, ["A", "SEED"]), (#"{"only":["B"]}"#, ["B"]),
            (#"{"only":["A","B"]}"#, ["A", "A1", "B"]),
        ]) func `is applied to the folders that its options leave`(options: String, folders: [String]) async throws {
            let daemon = try TestDaemon()
            // No folder is raised above its reference folder.
            if options.contains("only") { try daemon.drop(Sample.update(), options: #"{"exclude":["A","B"]}"#) }
            try await daemon.run()
            daemon.workers.forgetCalls()
            try daemon.drop(Sample.update(), options: options)
            try await daemon.run()
            #expect(daemon.workers.folders(.apply).sorted() == folders)
            let old = try daemon.versions().filter { $0.value == "8.0.1" }.keys
            #expect(Set(daemon.locked) == Set(old), "they are behind")
        }

        @Test func `that is tested changes and locks nothing`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update(), options: #"{"operation":"test"}"#)
            #expect(try await daemon.run() == 0)
            #expect(Set(daemon.workers.calls.map(\.phase)) == [.survey])
            #expect(daemon.workers.calls.allSatisfy { !$0.isLocked })
            #expect(try daemon.job().state == .done && daemon.version("SEED") == "8.0.1")
        }

        @Test func `leaves out folders that are not active, with all below them`() async throws {
            let daemon = try TestDaemon()
            daemon.change { endpoint in
                for index in endpoint.folders.indices where endpoint.folders[index].name == "A" {
                    endpoint.folders[index].active = false
                }
            }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(daemon.workers.folders(.apply) == ["SEED", "B"])
        }

        @Test func `that is refused leaves nothing but what lies in rejected`() async throws {
            let daemon = try TestDaemon()
            let name = try daemon.drop(bytes: Array("no archive".utf8))
            #expect(try await daemon.run() == 1)
            #expect(daemon.has("spool/rejected/\(name)"))
            #expect(try daemon.names("spool/incoming").isEmpty && daemon.names("state/intake").isEmpty)
            #expect(try daemon.names("state/archives").isEmpty)
            #expect(throws: (any Error).self) { try daemon.job() }
        }

        @Test(arguments: [
            #"{"only":["NONE"]}"#, #"{"endpoints":["other"]}"#, #"{"patches":{"none":true}}"#, "{", #"{"x":1}"#,
        ])
        func `with options that make no sense is refused`(options: String) async throws {
            let daemon = try TestDaemon()
            let name = try daemon.drop(Sample.update(), options: options)
            #expect(try await daemon.run() == 1)
            #expect(daemon.has("spool/rejected/\(name)"))
            #expect(daemon.workers.calls.isEmpty)
        }

        @Test func `runs the hook after each folder once it is unlocked`() async throws {
            let daemon = try TestDaemon()
            daemon.change { $0.hooks.after = "after" }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            let finished = daemon.workers.calls.filter { $0.phase == .finish }
            #expect(Set(finished.map(\.folder)) == ["SEED", "A", "A1", "B"] && finished.count == 4)
            #expect(finished.allSatisfy { !$0.isLocked })
        }
    }
}
