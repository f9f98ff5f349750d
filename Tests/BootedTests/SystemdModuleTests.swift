import Foundation
import Testing

@Suite(.bootsMachines) struct `The tests of Systemd in a booted machine` {
    @Test func `all pass`() throws {
        let machine = try Machine()
        let bundle = try #require(
            FileManager.default.contentsOfDirectory(atPath: Machine.repository + "/.build/debug")
                .first { $0.hasSuffix(".xctest") })
        try Command.require(
            "/bin/cp", ["-L", "\(Machine.repository)/.build/debug/\(bundle)", machine.path("/srv/tests")])
        try machine.boot()
        // As a service, so that it has what systemd gives to one.
        let run = try machine.run(
            """
            systemd-run --quiet --wait --setenv=PATCHD_TESTS_IN_MACHINE=1 --setenv=HOME=/root /bin/sh -c \
                "exec /srv/tests --testing-library swift-testing --filter '^SystemdTests[.]' >/srv/log 2>&1"
            """, timeout: .seconds(300))
        let log = try machine.read("/srv/log")
        #expect(run.code == 0, "\(log.split(separator: "\n").filter { $0.contains("✘") }.joined(separator: "\n"))")
        #expect(log.contains("Suite \"In a booted machine\" passed"))
    }
}
