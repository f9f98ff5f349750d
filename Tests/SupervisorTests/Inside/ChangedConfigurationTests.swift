import Foundation
import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `A configuration that changes` {
        @Test func `keeps a folder that is failed until its job is over`() async throws {
            let daemon = try TestDaemon()
            daemon.workers.fail("A1", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            let all = daemon.configuration
            daemon.change { $0.folders.removeAll { $0.name == "A1" } }
            try await daemon.run()
            #expect(daemon.has("payroll/A1/update.lock"))
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":1}"#).ok)
            #expect(try daemon.version("A1") == "8.0.2")
            #expect(!daemon.has("payroll/A1/update.lock"))
            daemon.configuration = all
        }

        @Test func `keeps an endpoint of which a folder is failed`() async throws {
            let daemon = try TestDaemon {
                [Sample.endpoint(below: $0), Sample.endpoint("stock", below: $0, [("ROOT", nil)])]
            }
            daemon.workers.fail("ROOT", .apply)
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.configuration.endpoints.removeLast()
            try await daemon.run()
            #expect(daemon.has("stock/ROOT/update.lock"))
            #expect(daemon.log.has("endpoint stock:"))
            daemon.workers.succeed()
            #expect(try await daemon.ask(#"{"command":"resume","job":2}"#).ok)
            #expect(try daemon.version("ROOT", of: "stock") == "8.0.2")
            #expect(!daemon.has("stock/ROOT/update.lock"))
        }

        @Test func `lets a folder go that nothing is done with`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            daemon.change { $0.folders.removeAll { $0.name == "A1" } }
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.2"))
            #expect(try await daemon.run() == 0)
            #expect(Set(daemon.workers.folders(.apply, job: 2)) == ["SEED", "A", "B"])
        }

        @Test func `takes in a new folder, which is behind`() async throws {
            let daemon = try TestDaemon()
            try daemon.drop(Sample.update())
            try await daemon.run()
            let path = "\(daemon.root)/payroll/NEW"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            daemon.change { endpoint in
                var folder = endpoint.folders[3]
                (folder.name, folder.path) = ("NEW", path)
                endpoint.folders.append(folder)
            }
            try await daemon.run()
            #expect(try daemon.version("NEW") == "8.0.1")
            try daemon.drop(Sample.update(), options: #"{"only":["NEW"]}"#)
            #expect(try await daemon.run() == 0)
            #expect(try daemon.version("NEW") == "8.0.2")
            #expect(daemon.locked.isEmpty)
        }
    }
}
