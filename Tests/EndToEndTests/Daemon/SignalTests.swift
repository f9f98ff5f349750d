import Foundation
import Glibc
import Testing

@Suite struct `The signal to end` {
    @Test func `ends the daemon, though its parent has blocked the signal`() throws {
        let install = try Installation()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["--block-signal=TERM", install.program("patchd")] + install.places(for: [])
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        #expect(install.until("the daemon is ready") { install.exists("state/configuration.json") })
        kill(process.processIdentifier, SIGTERM)
        #expect(install.until("the daemon has ended") { !process.isRunning })
        #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGTERM)
    }
}
