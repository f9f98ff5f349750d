import Foundation
import Testing

@testable import Systemd

extension `In a booted machine` {
    @Suite struct `A job` {
        @Test(arguments: routes) func `ends as systemd says`(_ manager: ServiceManager) throws {
            let files = try UnitFiles([
                "t-good.service": UnitFiles.running,
                "t-bad.service": "[Service]\nType=oneshot\nExecStart=/bin/false\n",
                "t-needs.service": "[Unit]\nRequires=t-bad.service\nAfter=t-bad.service\n" + UnitFiles.running,
                "t-slow.service": "[Service]\nType=notify\nTimeoutStartSec=1\nExecStart=/bin/sleep infinity\n",
                "t-kept.service": "[Unit]\nConditionPathExists=!/\n" + UnitFiles.running,
                "t-asserted.service": "[Unit]\nAssertPathExists=!/\n" + UnitFiles.running,
                "t-masked.service": "/dev/null",
                "t-manual.service": "[Unit]\nRefuseManualStart=yes\nRefuseManualStop=yes\n" + UnitFiles.running,
                "t-once.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
            ])
            defer { files.remove() }
            let names = [
                "t-good.service", "t-needs.service", "t-bad.service", "t-slow.service", "t-kept.service",
                "t-asserted.service", "t-masked.service", "t-manual.service", "t-once.service", "t-none.service",
                "no unit",
            ]
            let results = try manager.start(names)
            #expect(Set(results.keys) == Set(names))
            #expect(results["t-good.service"] == .done && results["t-once.service"] == .done)
            #expect(results["t-bad.service"] == .failed && results["t-needs.service"] == .dependency)
            #expect(results["t-slow.service"] == .failed)
            #expect(try manager.status(of: "t-slow.service").result == "timeout")
            #expect(results["t-kept.service"] == .done)
            #expect(try manager.status(of: "t-kept.service").isDown)
            #expect(try !manager.status(of: "t-kept.service").conditionResult)
            #expect(results["t-asserted.service"] == .other("assert"))
            #expect(results["t-masked.service"] == .refused("Unit t-masked.service is masked."))
            #expect(results["t-none.service"] == .refused("Unit t-none.service not found."))
            for name in ["t-manual.service", "no unit"] {
                guard case .refused = results[name] else {
                    Issue.record("\(name): \(String(describing: results[name]))")
                    continue
                }
            }
            let stopped = try manager.stop(names)
            for name in names.dropLast() where name != "t-manual.service" {
                #expect(stopped[name] == .done, "\(name)")
            }
            guard case .refused = stopped["t-manual.service"] else {
                Issue.record("stopped what refuses it")
                return
            }
        }

        @Test(arguments: routes) func `is one of many that are waited for together`(_ manager: ServiceManager) throws {
            let names = (1...60).map { "t-many@\($0).service" }
            let files = try UnitFiles(["t-many@.service": UnitFiles.running])
            defer { files.remove() }
            let done = Dictionary(uniqueKeysWithValues: names.map { ($0, JobResult.done) })
            #expect(try manager.start(names) == done)
            for name in names { #expect(try manager.status(of: name).isUp) }
            #expect(try manager.stop(names) == done)
            for name in names { #expect(try manager.status(of: name).isDown) }
        }

        @Test(arguments: routes) func `of a oneshot can be left to itself`(_ manager: ServiceManager) throws {
            let files = try UnitFiles([
                "t-long.service": "[Service]\nType=oneshot\nExecStart=/bin/sleep infinity\n",
                "t-good.service": UnitFiles.running,
            ])
            defer { files.remove() }
            let results = try manager.start(
                ["t-long.service", "t-good.service"], withoutWaitingFor: ["t-long.service"])
            #expect(results == ["t-long.service": .enqueued, "t-good.service": .done])
            let status = try manager.status(of: "t-long.service")
            #expect(status.activeState == "activating" && status.isUp && status.type == "oneshot")
            // Stopped in mid-start: that job takes the place of the other.
            #expect(try manager.stop(["t-long.service"]) == ["t-long.service": .done])
        }

        /// Slow to stop: until somebody writes into the pipe.
        private func slow(_ pipe: String) throws -> UnitFiles {
            unlink(pipe)
            #expect(mkfifo(pipe, 0o600) == 0)
            return try UnitFiles([
                "t-slow.service": """
                [Service]
                Type=exec
                ExecStart=/bin/sleep infinity
                ExecStop=/bin/sh -c 'read line <\(pipe)'
                """
            ])
        }

        @Test(arguments: routes) func `is waited for until the unit is down`(_ manager: ServiceManager) async throws {
            let pipe = "/var/t-slow"
            let files = try slow(pipe)
            defer { files.remove() }
            _ = try manager.start(["t-slow.service"])
            let stopping = Thread.running { try manager.stop(["t-slow.service"]) }
            let waiting = Thread.running { try manager.waitUntilInactive("t-slow.service") }
            // Opens when ExecStop= runs.
            let end = try #require(FileHandle(forWritingAtPath: pipe))
            #expect(try manager.status(of: "t-slow.service").activeState == "deactivating")
            #expect(!stopping.isFinished && !waiting.isFinished)
            try end.write(contentsOf: Data("go\n".utf8))
            try end.close()
            #expect(try await stopping.value() == ["t-slow.service": .done])
            try await waiting.value()
            #expect(try manager.status(of: "t-slow.service").isDown)
            try manager.waitUntilInactive("t-slow.service")
            try manager.waitUntilInactive("t-none.service")
        }

        @Test(arguments: routes) func `is waited for as long as one likes, and once more`(_ manager: ServiceManager)
            async throws
        {
            let pipe = "/var/t-slow"
            let files = try slow(pipe)
            defer { files.remove() }
            _ = try manager.start(["t-slow.service"])
            #expect(try manager.stop(["t-slow.service"], patience: .milliseconds(200)) == ["t-slow.service": .enqueued])
            let job = try run("systemctl", "list-jobs", "--no-legend")
            #expect(try manager.stop(["t-slow.service"], patience: .milliseconds(200)) == ["t-slow.service": .enqueued])
            #expect(try run("systemctl", "list-jobs", "--no-legend") == job, "it is the same job")
            let stopping = Thread.running { try manager.stop(["t-slow.service"], patience: .seconds(60)) }
            let end = try #require(FileHandle(forWritingAtPath: pipe))
            try end.write(contentsOf: Data("go\n".utf8))
            try end.close()
            #expect(try await stopping.value() == ["t-slow.service": .done])
        }

        @Test func `is not lost when PID 1 executes itself anew`() async throws {
            let manager = ServiceManager()
            let pipe = "/var/t-slow"
            let files = try slow(pipe)
            defer { files.remove() }
            _ = try manager.start(["t-slow.service"])
            let stopping = Thread.running { try manager.stop(["t-slow.service"]) }
            let waiting = Thread.running { try manager.waitUntilInactive("t-slow.service") }
            let end = try #require(FileHandle(forWritingAtPath: pipe))
            try run("systemctl", "daemon-reexec")
            #expect(try manager.status(of: "t-slow.service").activeState == "deactivating")
            try end.write(contentsOf: Data("go\n".utf8))
            try end.close()
            #expect(try await stopping.value() == ["t-slow.service": .done])
            try await waiting.value()
        }
    }
}

/// What a thread that may block comes to.
final class Blocked<Value: Sendable>: @unchecked Sendable {
    // Guarded by `condition`.
    private var result: Result<Value, any Error>?
    private let condition = NSCondition()

    var isFinished: Bool { condition.withLock { result != nil } }

    func finish(_ result: Result<Value, any Error>) {
        condition.withLock {
            self.result = result
            condition.broadcast()
        }
    }

    func value() async throws -> Value {
        try condition.withLock {
            while true {
                if let result { return try result.get() }
                condition.wait()
            }
        }
    }
}

extension Thread {
    static func running<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) -> Blocked<Value> {
        let blocked = Blocked<Value>()
        detachNewThread { blocked.finish(Result { try body() }) }
        return blocked
    }
}
