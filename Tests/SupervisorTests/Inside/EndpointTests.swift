import Dispatch
import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `Endpoints` {
        private func two() throws -> TestDaemon {
            try TestDaemon { [Sample.endpoint(below: $0), Sample.endpoint("stock", below: $0)] }
        }

        @Test func `do not wait for each other`() async throws {
            let daemon = try two()
            let done = DispatchSemaphore(value: 0)
            daemon.workers.before { start in
                guard start.folder == "SEED", start.phase == .apply else { return }
                if start.endpoint == "payroll" {
                    #expect(done.wait(timeout: .now() + 20) == .success, "stock waits for payroll")
                } else {
                    done.signal()
                }
            }
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            #expect(
                try Set(daemon.versions().values) == ["8.0.2"] && Set(daemon.versions(of: "stock").values) == ["8.0.2"])
        }

        @Test(arguments: ["payroll", "stock"]) func `get an update that names them alone`(name: String) async throws {
            let daemon = try two()
            try daemon.drop(Sample.update(), options: #"{"endpoints":["\#(name)"]}"#)
            #expect(try await daemon.run() == 0)
            #expect(Set(daemon.workers.calls.map(\.endpoint)) == [name])
            #expect(try daemon.job().endpoint == name)
        }

        @Test func `share an archive that is checked once`() async throws {
            let daemon = try two()
            try daemon.drop(Sample.update())
            try await daemon.run()
            #expect(daemon.workers.unpacked == 1)
            #expect(try daemon.names("state/archives").count == 1)
            #expect(try Set([daemon.job(1).endpoint, daemon.job(2).endpoint]) == ["payroll", "stock"])
        }

        @Test func `go on though another one failed`() async throws {
            let daemon = try two()
            daemon.workers.before { [weak daemon] start in
                guard let daemon, start.folder == "SEED", start.phase == .apply else { return }
                if start.endpoint == "payroll" { daemon.workers.fail("X", .apply) }
            }
            daemon.configuration.endpoints[0].folders.removeLast(3)
            daemon.configuration.endpoints[0].folders[0].name = "OTHER"
            daemon.workers.fail("OTHER", .apply)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try Set(daemon.versions(of: "stock").values) == ["8.0.2"])
            #expect(daemon.locked.contains("OTHER"))
            try daemon.drop(Sample.update("B", "8.0.3", from: "8.0.2"), options: #"{"endpoints":["stock"]}"#)
            try await daemon.run()
            #expect(try Set(daemon.versions(of: "stock").values) == ["8.0.3"])
        }
    }
}
