import Glibc
import Supervisor
import Systemd

/// What a worker's service may do: change its folder, and nothing else beyond what its ``WorkerReach`` says.
///
/// Why: docs/decisions/units.md#a-workers-service
enum WorkerCage {
    /// The properties of its unit.
    static func properties(_ start: WorkerStart) -> [UnitProperty] {
        let reach = start.reach
        let writable = [start.path] + [start.other].compactMap { $0 } + reach.write
        var properties: [UnitProperty] = [
            // Read-only are /run and /run/lock, too. A socket there can be connected to all the same.
            .protectSystem("strict"), .protectHome("tmpfs"), .privateTmp,
            // A file system of its own that everybody may write to, which ProtectSystem= leaves as it is.
            .readOnlyPaths(["-/run/lock"]),
            // Bound, not ReadWritePaths=: they may lie in a home directory or in /tmp, which are hidden.
            .bindPaths(writable), .requiresMountsFor([start.path]),
            .temporaryFileSystem("/dev/shm", "mode=1777"),
            .noNewPrivileges, .capabilityBoundingSet(capabilities(start)), .ambientCapabilities(0),
            .privateDevices, .protectKernelModules, .protectControlGroups, .protectClock, .protectHostname,
            // Not RestrictSUIDSGID=: it answers ENOSYS to openat2(2), without which nothing is opened beneath a folder.
            .lockPersonality, .restrictRealtime, .systemCallArchitectures(["native"]),
            .systemCallErrorNumber(EPERM),
            .restrictAddressFamilies(reach.hasNetwork ? ["AF_UNIX", "AF_INET", "AF_INET6"] : ["AF_UNIX"]),
            .tasksMax(UInt64(reach.tasks)), reach.memory.map { UnitProperty.memoryMax($0) } ?? .memoryMax(share: 0.75),
            // A script that is killed for want of memory fails like any other; the worker says so.
            .oomPolicy("continue"),
            // SIGTERM is for the worker, which ends its step; its script is not to be cut off in the middle.
            .killMode("mixed"),
            // It gives a script 90 s to end by itself, and 10 s more when it ends it.
            .timeoutStop(.seconds(120)),
        ]
        // Never an empty list: it would take back the paths before it, which systemd keeps in one list with these.
        if !reach.read.isEmpty { properties.append(.bindReadOnlyPaths(reach.read)) }
        if !reach.hasNetwork { properties.append(.privateNetwork) }
        if start.phase == .rehearse {
            // Its programs get a cage of their own, with namespaces and mounts (patch_cage.c). Where parts of /proc are
            // hidden, they could not have a /proc of their own, in which they see nobody else.
            properties.append(.systemCallFilter(["@system-service", "@mount"]))
        } else {
            properties += [
                .systemCallFilter(["@system-service"]), .withoutNamespaces, .protectKernelTunables, .protectKernelLogs,
            ]
        }
        return properties
    }

    /// Of the service that sends a signal to another user's process, which is all that it may.
    static var signalProperties: [UnitProperty] {
        [
            .protectSystem("strict"), .protectHome("yes"), .privateTmp, .privateDevices, .privateNetwork,
            .noNewPrivileges,
            // KILL
            .capabilityBoundingSet(1 << 5), .ambientCapabilities(0), .restrictAddressFamilies(["AF_UNIX"]),
            .withoutNamespaces, .systemCallArchitectures(["native"]), .systemCallFilter(["@system-service"]),
            .systemCallErrorNumber(EPERM), .timeoutStart(.seconds(10)),
        ]
    }

    /// None, but for a folder with `owner: root`: there files may be anybody's, and scripts may become another user.
    private static func capabilities(_ start: WorkerStart) -> UInt64 {
        guard start.user == nil else { return 0 }
        // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID
        var numbers: [UInt64] = [0, 1, 3, 4, 5, 6, 7]
        // SETPCAP, SYS_ADMIN: to make the cage of a rehearsal's programs, and to leave these two outside.
        if start.phase == .rehearse { numbers += [8, 21] }
        return numbers.reduce(0) { $0 | 1 << $1 }
    }
}
