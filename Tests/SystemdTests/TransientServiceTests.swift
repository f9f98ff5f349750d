import Foundation
import Testing

@testable import Systemd

extension `In a booted machine` {
    @Suite struct `A transient service` {
        /// A service that runs a shell script.
        private func shell(_ script: String, _ name: String = "t-worker.service") -> TransientService {
            TransientService(name: name, description: "a test's \"worker\"", command: ["/bin/sh", "-c", script])
        }

        /// A new file, open for appending.
        private func file(_ name: String) -> Int32 {
            unlink(name)
            return open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        }

        private func text(_ name: String) throws -> String { try String(contentsOfFile: name, encoding: .utf8) }

        @Test(arguments: routes) func `gets its descriptors, environment and owner`(_ manager: ServiceManager) throws {
            let directory = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            let (output, error) = (file("/var/t-out"), file("/var/t-err"))
            defer { for descriptor in [directory, output, error] { close(descriptor) } }
            var service = shell(
                "readlink /proc/self/fd/0; id -u; id -g; id -G; pwd; echo \"$A-$B\"; umask; nice; echo \"$0\" >&2")
            service.command += ["$HOME %n"]
            service.environment = ["A": "one two", "B": "%n $A \"x\""]
            service.user = "nobody"
            service.group = "games"
            service.supplementaryGroups = ["tty", "audio"]
            service.workingDirectory = "/usr"
            service.standardInput = directory
            service.standardOutput = output
            service.standardError = error
            service.properties = [.umask(0o027), .nice(5)]
            try manager.startTransient(service)
            try manager.waitUntilInactive(service.name)
            let lines = try text("/var/t-out").split(separator: "\n").map(String.init)
            try #require(lines.count == 8)
            #expect(lines[0] == "/etc" && lines[1] == "65534" && lines[2] == "60")
            #expect(Set(lines[3].split(separator: " ")).isSuperset(of: ["60", "5", "29"]))
            #expect(lines[4] == "/usr" && lines[5] == "one two-%n $A \"x\"" && lines[6] == "0027" && lines[7] == "5")
            #expect(try text("/var/t-err") == "$HOME %n\n")
        }

        @Test(arguments: routes) func `is confined as asked`(_ manager: ServiceManager) throws {
            try FileManager.default.createDirectory(atPath: "/var/t-dir", withIntermediateDirectories: true)
            chown("/var/t-dir", 65534, 65534)
            let (output, error) = (file("/var/t-out"), file("/var/t-err"))
            defer { for descriptor in [output, error] { close(descriptor) } }
            var service = shell(
                """
                touch /var/t-dir/inside && echo in; touch /var/tmp/x /tmp/x && echo tmp; touch /var/t-outside
                ls /dev/loop-control /root; grep NoNewPrivs /proc/self/status; grep CapBnd /proc/self/status
                ls /sys/class/net; ulimit -n
                """)
            service.standardOutput = output
            service.standardError = error
            service.user = "nobody"
            service.slice = "jobs.slice"
            service.properties = [
                .protectSystem("strict"), .readWritePaths(["/var/t-dir"]), .protectHome("yes"), .privateTmp,
                .privateDevices, .noNewPrivileges, .capabilityBoundingSet(0), .privateNetwork, .limitOpenFiles(77),
                .killMode("mixed"), .timeoutStop(.seconds(90)), .runtimeMax(.seconds(600)), .oomPolicy("continue"),
                .requiresMountsFor(["/var/t-dir"]), .after(["basic.target"]), .syslogIdentifier("t"),
                .logExtraFields(["PATCHD_FOLDER=SEED"]), .systemCallArchitectures(["native"]), .oomScoreAdjust(10),
                .privateIPC, .protectKernelTunables, .protectKernelModules, .protectKernelLogs, .protectControlGroups,
                .protectClock, .protectHostname, .lockPersonality, .restrictRealtime, .restrictSUIDSGID,
                .protectProc("invisible"), .devicePolicy("closed"), .withoutDefaultDependencies,
                .readOnlyPaths(["/srv"]), .inaccessiblePaths(["/mnt"]),
            ]
            try manager.startTransient(service)
            try manager.waitUntilInactive(service.name)
            let lines = try text("/var/t-out").split(separator: "\n").map(String.init)
            #expect(lines == ["in", "tmp", "NoNewPrivs:\t1", "CapBnd:\t0000000000000000", "lo", "77"])
            let refused = try text("/var/t-err")
            for place in ["/var/t-outside", "/dev/loop-control", "/root"] { #expect(refused.contains(place)) }
            #expect(access("/var/t-outside", F_OK) != 0 && access("/tmp/x", F_OK) != 0)
        }

        @Test(arguments: routes) func `has the paths, calls, sockets and limits that it is given`(
            _ manager: ServiceManager
        ) throws {
            for place in ["/home/t-other", "/home/t-own", "/home/t-seen"] {
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            }
            chmod("/home/t-own", 0o777)
            chmod("/home/t-seen", 0o777)
            let output = file("/var/t-out")
            defer { close(output) }
            var service = shell(
                """
                ls /home; touch /home/t-own/x && echo own; touch /home/t-seen/x 2>/dev/null || echo seen
                perl -MSocket -e 'socket(my $s, PF_INET, SOCK_STREAM, 0) or print "$!\n"'
                perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0) and print "local\n"'
                chroot / true 2>/dev/null || echo no chroot; unshare --user true 2>/dev/null || echo no namespace
                systemctl show -P MemoryMax -P TasksMax $0
                """)
            service.command += [service.name]
            service.standardOutput = output
            service.user = "nobody"
            service.properties = [
                .protectHome("tmpfs"), .bindPaths(["/home/t-own", "/home/t-missing"]),
                .bindReadOnlyPaths(["/home/t-seen"]), .restrictAddressFamilies(["AF_UNIX"]),
                .systemCallFilter(["@system-service"]), .systemCallErrorNumber(EPERM), .withoutNamespaces,
                .ambientCapabilities(0), .memoryMax(300 << 20), .tasksMax(77),
            ]
            try manager.startTransient(service)
            try manager.waitUntilInactive(service.name)
            let said = try text("/var/t-out")
            #expect(
                said == """
                    t-own
                    t-seen
                    own
                    seen
                    Address family not supported by protocol
                    local
                    no chroot
                    no namespace
                    314572800
                    77

                    """)
        }

        @Test(arguments: routes) func `has a status while it runs`(_ manager: ServiceManager) throws {
            var service = shell("read line")
            let ends = openPipe()
            defer { close(ends.read) }
            service.standardInput = ends.read
            service.properties = [.logExtraFields(["PATCHD_FOLDER=SEED"]), .timeoutStop(.milliseconds(1500))]
            try manager.startTransient(service)
            let status = try manager.status(of: service.name)
            #expect(status.isTransient && status.isUp && status.type == "exec" && status.mainPID > 1)
            let shown = try run(
                "systemctl", "show", service.name, "-p", "Description,CollectMode,LogExtraFields,TimeoutStopUSec")
            #expect(shown.contains("Description=a test's \"worker\"\n"))
            #expect(shown.contains("CollectMode=inactive-or-failed\n"))
            #expect(shown.contains("LogExtraFields=PATCHD_FOLDER=SEED\n"))
            #expect(shown.contains("TimeoutStopUSec=1.500000s\n"), "\(shown)")
            close(ends.write)
            try manager.waitUntilInactive(service.name)
            #expect(try !manager.status(of: service.name).exists)
        }

        @Test(arguments: routes) func `that cannot start is an error, and leaves nothing`(
            _ manager: ServiceManager
        ) throws {
            var service = shell("true")
            service.command = ["/no/such/program"]
            let error = #expect(throws: SystemdError.self) { try manager.startTransient(service) }
            #expect(error?.result == .failed && error?.unit == service.name && error?.message.contains("203") == true)
            service = shell("true")
            service.user = "no-such-user"
            #expect(throws: SystemdError.self) { try manager.startTransient(service) }
            service.command = ["relative"]
            #expect(throws: SystemdError.self) { try manager.startTransient(service) }
            service = shell("true", "no unit")
            #expect(throws: SystemdError.self) { try manager.startTransient(service) }
            #expect(try !manager.status(of: "t-worker.service").exists)
        }

        @Test(arguments: routes) func `whose program ends at once did start`(_ manager: ServiceManager) throws {
            for script in ["exit 0", "exit 3", "kill -9 $$"] {
                for _ in 1...30 { try manager.startTransient(shell(script)) }
                try manager.waitUntilInactive("t-worker.service")
                #expect(try !manager.status(of: "t-worker.service").exists)
            }
        }

        @Test(arguments: routes) func `waits until another of its name is gone`(_ manager: ServiceManager) async throws
        {
            var first = shell("read line; exit 1")
            let ends = openPipe()
            first.standardInput = ends.read
            try manager.startTransient(first)
            close(ends.read)
            let second = shell("true")
            let error = #expect(throws: SystemdError.self) {
                try manager.startTransient(second, patience: .milliseconds(200))
            }
            #expect(error?.name == "org.freedesktop.systemd1.UnitExists")
            let starting = Thread.running { try manager.startTransient(second, patience: .seconds(60)) }
            close(ends.write)
            try await starting.value()
            // One after the other, as fast as it goes.
            for _ in 1...20 { try manager.startTransient(second) }
            try manager.waitUntilInactive(second.name)
        }

        @Test(arguments: routes) func `leaves nobody with its descriptors when it has ended`(
            _ manager: ServiceManager
        ) throws {
            for reloads in [false, true] {
                let output = file("/var/t-lock")
                let ends = openPipe()
                var service = shell("flock --exclusive --nonblock 1 && echo locked >&2; read line; kill -9 $$")
                let error = file("/var/t-err")
                service.standardInput = ends.read
                service.standardOutput = output
                service.standardError = error
                try manager.startTransient(service)
                for descriptor in [ends.read, output, error] { close(descriptor) }
                if reloads { try manager.reload() }
                #expect(try heldByManager("/var/t-lock") == 1)
                let again = open("/var/t-lock", O_RDWR | O_CLOEXEC)
                defer { close(again) }
                close(ends.write)
                try manager.waitUntilInactive(service.name)
                #expect(try text("/var/t-err") == "locked\n")
                #expect(flock(again, LOCK_EX | LOCK_NB) == 0)
                #expect(try heldByManager("/var/t-lock") == 0)
            }
        }

        /// How many descriptors of that file PID 1 has.
        private func heldByManager(_ name: String) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/1/fd").filter {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/1/fd/\($0)")) == name
            }.count
        }

        private func openPipe() -> (read: Int32, write: Int32) {
            var ends: [Int32] = [-1, -1]
            #expect(pipe(&ends) == 0)
            for end in ends { #expect(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
            return (ends[0], ends[1])
        }
    }
}
