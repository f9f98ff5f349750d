import Foundation
import Testing

@testable import Systemd

/// A container in which a real systemd is PID 1: this system under an overlay, with nothing started that is not needed.
/// It boots, runs this bundle's tests inside, and ends with their exit status.
enum Machine {
    /// Whether this process runs inside. Only there may units be made and stopped.
    static let isInside = ProcessInfo.processInfo.environment["PATCHD_TESTS_IN_MACHINE"] != nil

    /// Whether one can be booted here.
    static let canBoot = !isInside && geteuid() == 0 && access("/usr/bin/systemd-nspawn", X_OK) == 0

    struct Run {
        var status: Int32
        var log: String
    }

    /// Runs the tests that match `filter`. Mounts and files are gone when it returns, and also when it is ended by
    /// SIGTERM or SIGINT.
    static func run(filter: String) throws -> Run {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("machine-\(UUID()).log")
        try Data().write(to: log)
        defer { try? FileManager.default.removeItem(at: log) }
        let output = try FileHandle(forWritingTo: log)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script, "machine", package, filter]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        return Run(status: process.terminationStatus, log: try String(contentsOf: log, encoding: .utf8))
    }

    private static let script = #"""
        set -euo pipefail
        package=$1 filter=$2
        dir=$(mktemp -d /var/tmp/patchd-systemd-tests-XXXXXX)
        cleanup() {
            cat "$dir/upper/var/tests.log" 2>/dev/null || true
            umount "$dir/root" 2>/dev/null || true
            rm -rf --one-file-system "$dir"
        }
        trap cleanup EXIT
        trap 'exit 143' TERM INT
        mkdir "$dir"/{upper,work,root}
        mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
        units=$dir/root/etc/systemd/system
        ln -sf /dev/null "$units/timers.target"
        rm -f "$units/default.target"
        printf '%s\n' >"$units/default.target" '[Unit]' 'Requires=basic.target' 'Wants=patchd-tests.service' \
            'After=basic.target' 'AllowIsolate=yes'
        printf '%s\n' >"$dir/root/var/run-tests" '#!/bin/bash' \
            "'$package/.build/debug/patchdPackageTests.xctest' --testing-library swift-testing --filter '$filter' \\" \
            '    >/var/tests.log 2>&1' 'systemctl exit $? --force'
        chmod 755 "$dir/root/var/run-tests"
        printf '%s\n' >"$units/patchd-tests.service" '[Service]' 'Type=exec' 'ExecStart=/var/run-tests' \
            'Environment=PATCHD_TESTS_IN_MACHINE=1 HOME=/root'
        # The system call filter lets systemd try Landlock, which nspawn's own does not know.
        timeout -k 5 300 systemd-nspawn -q -D "$dir/root" --register=no --keep-unit --private-network \
            --bind-ro="$package" \
            --system-call-filter='landlock_create_ruleset landlock_add_rule landlock_restrict_self' -b
        """#
}

/// Tests that run inside, one after the other.
@Suite(.serialized, .enabled(if: Machine.isInside)) struct `In a booted machine` {
    /// Root asks over the manager's own socket, everybody else over the system bus.
    static let routes = [ServiceManager(isDirect: true), ServiceManager(isDirect: false)]
}

@Suite struct `The tests in a booted machine` {
    @Test(.enabled(if: Machine.canBoot)) func `all pass`() throws {
        let run = try Machine.run(filter: "SystemdTests")
        #expect(run.log.contains("Suite \"In a booted machine\" passed") == true)
        if run.status != 0 || ProcessInfo.processInfo.environment["VERBOSE"] != nil { print(run.log) }
        #expect(run.status == 0)
    }
}
