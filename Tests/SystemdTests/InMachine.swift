import Foundation
import Testing

@testable import Systemd

/// Tests that run in a machine which `BootedTests` boots for them, one after the other. Only there may units be made and
/// stopped.
@Suite(
    .serialized, .enabled(if: ProcessInfo.processInfo.environment["PATCHD_TESTS_IN_MACHINE"] != nil, "BootedTests do"))
struct `In a booted machine` {
    /// Root asks over the manager's own socket, everybody else over the system bus.
    static let routes = [ServiceManager(isDirect: true), ServiceManager(isDirect: false)]
}
