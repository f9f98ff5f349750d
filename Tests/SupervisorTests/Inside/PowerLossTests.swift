import PatchModel
import Synchronization
import Testing

@testable import Supervisor

extension Inside {
    /// The power goes at the n-th moment: a line of the log, or a worker's record. What was on the disk then is put back
    /// after the run, and a second daemon goes on with it.
    @Suite struct `After a loss of power` {
        private final class Moments: Sendable {
            private struct Count {
                var passed = 0
                var photographed: String?
            }
            private let at: Int
            private let count = Mutex(Count())

            init(at: Int) { self.at = at }

            var photographed: String? { count.withLock { $0.photographed } }

            func pass(_ what: String, _ daemon: TestDaemon?) {
                let isNow = count.withLock { count in
                    count.passed += 1
                    return count.passed == at
                }
                if isNow, daemon?.photograph() == true { count.withLock { $0.photographed = what } }
            }
        }

        private func watch(_ daemon: TestDaemon, _ moments: Moments) {
            daemon.log.onLine { [weak daemon] line in moments.pass(line, daemon) }
            daemon.workers.afterRecord { [weak daemon] what in moments.pass(what, daemon) }
        }

        private func unwatch(_ daemon: TestDaemon) {
            daemon.log.onLine { _ in }
            daemon.workers.afterRecord { _ in }
            daemon.workers.forgetCalls()
        }

        static let chain: [(name: String, parent: String?)] = [("SEED", nil), ("A", "SEED")]

        @Test(arguments: 1...25) func `an update is done, once`(moment: Int) async throws {
            let daemon = try TestDaemon { [Sample.endpoint(below: $0, Self.chain)] }
            let moments = Moments(at: moment)
            try await daemon.run()
            watch(daemon, moments)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 0)
            let what = try #require(moments.photographed, "there is no such moment")
            unwatch(daemon)
            try daemon.restorePhotograph()
            let before = try daemon.versions()
            #expect(try await daemon.run() == 0, "\(what)")
            #expect(try daemon.job().state == .done, "\(what)")
            #expect(throws: (any Error).self) { try daemon.job(2) }
            #expect(try daemon.versions() == ["SEED": "8.0.2", "A": "8.0.2"], "\(what)")
            for folder in ["SEED", "A"] {
                #expect(try daemon.history(folder).map(\.state) == [.done], "\(folder) at \(what)")
                if before[folder] == "8.0.2" { #expect(!daemon.workers.folders(.apply).contains(folder), "\(what)") }
            }
            #expect(daemon.locked.isEmpty, "\(what)")
        }

        /// Not the second moment: the photograph gives the request another inode, so that it is another request.
        @Test(arguments: [1] + Array(3...12)) func `a rollback is done, once`(moment: Int) async throws {
            let daemon = try TestDaemon { [Sample.endpoint(below: $0, Self.chain)] }
            try daemon.drop(Sample.update())
            try await daemon.run()
            let moments = Moments(at: moment)
            watch(daemon, moments)
            #expect(try await daemon.ask(#"{"command":"rollback","job":1}"#).ok)
            let what = try #require(moments.photographed, "there is no such moment")
            unwatch(daemon)
            try daemon.restorePhotograph()
            #expect(try await daemon.run() == 0, "\(what)")
            #expect(try daemon.versions() == ["SEED": "8.0.1", "A": "8.0.1"], "\(what)")
            #expect(try daemon.job(2).state == .done, "\(what)")
            #expect(throws: (any Error).self) { try daemon.job(3) }
            #expect(daemon.locked.isEmpty, "\(what)")
        }

        /// The test folder goes first, the root after an approval.
        @Test(arguments: 1...32) func `an update with a canary is done, once, and not without its approval`(
            moment: Int
        ) async throws {
            let daemon = try TestDaemon { [Sample.endpoint(below: $0, Self.chain)] }
            daemon.change { endpoint in
                endpoint.folders[1].role = .test
                (endpoint.canary, endpoint.canaryPause) = (["A"], .approval)
            }
            let moments = Moments(at: moment)
            try await daemon.run()
            watch(daemon, moments)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 6)
            #expect(try await daemon.ask(#"{"command":"approve","job":1}"#).ok)
            let what = try #require(moments.photographed, "there is no such moment")
            unwatch(daemon)
            try daemon.restorePhotograph()
            let before = try daemon.versions()
            let code = try await daemon.run()
            if code != 0 {
                #expect(code == 6 && daemon.locked.isEmpty, "\(what)")
                #expect(try daemon.versions() == ["SEED": "8.0.1", "A": "8.0.2"], "\(what)")
                #expect(try await daemon.ask(#"{"command":"approve","job":1}"#).ok, "\(what)")
            }
            #expect(try daemon.job().state == .done && daemon.job().canary?.stage == .rest, "\(what)")
            #expect(try daemon.versions() == ["SEED": "8.0.2", "A": "8.0.2"], "\(what)")
            for folder in ["SEED", "A"] {
                #expect(try daemon.history(folder).map(\.state) == [.done], "\(folder) at \(what)")
                if before[folder] == "8.0.2" { #expect(!daemon.workers.folders(.apply).contains(folder), "\(what)") }
            }
            #expect(daemon.locked.isEmpty, "\(what)")
        }

        @Test(arguments: 1...20) func `an update that takes everything back ends between no two versions`(
            moment: Int
        ) async throws {
            let daemon = try TestDaemon { [Sample.endpoint(below: $0, Self.chain)] }
            daemon.change { $0.onFailure = .revertAll }
            daemon.workers.fail("A", .apply, .script)
            try await daemon.run()
            let moments = Moments(at: moment)
            watch(daemon, moments)
            try daemon.drop(Sample.update())
            #expect(try await daemon.run() == 1)
            let what = try #require(moments.photographed, "there is no such moment")
            unwatch(daemon)
            try daemon.restorePhotograph()
            try await daemon.run()
            #expect(try daemon.versions() == ["SEED": "8.0.1", "A": "8.0.1"], "\(what)")
            #expect(try daemon.job().state == .failed && daemon.job().code == "script", "\(what)")
            #expect(daemon.locked.isEmpty, "\(what)")
        }
    }
}
