import PatchModel
import Testing

@testable import Supervisor

extension Inside {
    @Suite struct `A folder that fails` {
        @Test func `is put back alone where the endpoint says revert`() async throws {
            let daemon = try TestDaemon()
            daemon.change { $0.onFailure = .revert }
            daemon.workers.fail("A", .apply, .script)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try daemon.states() == ["SEED": .done, "A": .reverted, "A1": .blocked, "B": .done])
            #expect(try daemon.versions() == ["SEED": "8.0.2", "A": "8.0.1", "A1": "8.0.1", "B": "8.0.2"])
            #expect(daemon.workers.folders(.revert) == ["A"])
            #expect(try daemon.job().code == "script")
        }

        @Test(arguments: ["A", "A1", "B"])
        func `takes all others back where the endpoint says revertAll, children first`(
            folder: String
        ) async throws {
            let daemon = try TestDaemon()
            daemon.change { $0.onFailure = .revertAll }
            daemon.workers.fail(folder, .apply, .script)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try Set(daemon.versions().values) == ["8.0.1"])
            #expect(try daemon.states().values.allSatisfy { [.reverted, .blocked].contains($0) })
            let order = daemon.workers.folders(.revert)
            #expect(order.first == folder && order.last == "SEED")
            #expect(daemon.locked.isEmpty)
        }

        @Test func `stays locked when it cannot be put back`() async throws {
            let daemon = try TestDaemon()
            daemon.change { $0.onFailure = .revert }
            daemon.workers.fail("A", .apply, .script)
            daemon.workers.fail("A", .revert, .irreversible)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            #expect(try daemon.states()["A"] == .failed)
            #expect(daemon.locked.contains("A"))
        }
    }
}
