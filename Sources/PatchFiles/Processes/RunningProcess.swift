import CLinux
import Glibc

/// A process of this host, as /proc shows it.
public struct RunningProcess: Sendable {
    /// Its pid.
    public let pid: Int32

    /// This process.
    public static let own = getpid()

    /// A process by its pid; it need not exist.
    public init(_ pid: Int32) { self.pid = pid }

    /// Its name; nil when it has ended.
    public var name: String? { read("comm").split(separator: "\n").first.map(String.init) }

    /// When it started, in the kernel's ticks since the boot; 0 when it has ended.
    public var started: UInt64 {
        // Field 22 of the file.
        let fields = fieldsBehindName
        return fields.count > 19 ? UInt64(fields[19]) ?? 0 : 0
    }

    /// When it started, in nanoseconds since 1970 by today's clock; nil when it has ended. Exact to the kernel's tick
    /// and to changes of the clock since.
    public var startTime: Int64? {
        let ticks = started
        guard ticks > 0 else { return nil }
        let boot = Self.nanoseconds(CLOCK_REALTIME) - Self.nanoseconds(CLOCK_BOOTTIME)
        return boot + Int64(ticks) * 1_000_000_000 / Int64(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The user who started it, whatever user a set-uid program has become since; nil when it has ended.
    public var user: UInt32? {
        let line = read("status").split(separator: "\n").first { $0.hasPrefix("Uid:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { UInt32($0) }
    }

    /// Its parent's pid; 0 when it has ended.
    public var parent: Int32 {
        // Field 4 of the file.
        let fields = fieldsBehindName
        return fields.count > 1 ? Int32(fields[1]) ?? 0 : 0
    }

    /// Field 3 of `/proc/PID/stat` and those after it. The name, field 2, may contain anything but ends with the last
    /// parenthesis.
    private var fieldsBehindName: [Substring] {
        read("stat").split(separator: ")").last?.split(separator: " ") ?? []
    }

    /// The unit that it belongs to; nil where there is none.
    public var unit: String? { Self.unit(inCgroups: read("cgroup")) }

    /// The system manager's unit that a process belongs to: the first in its control group's path that is no slice.
    /// Processes of a user's manager belong to `user@1000.service`.
    public static func unit(inCgroups text: String) -> String? {
        let lines = text.split(separator: "\n")
        // Version 2 in one line, or version 1 where systemd has a hierarchy of its own.
        let line = lines.first { $0.hasPrefix("0::") && $0 != "0::/" } ?? lines.first { $0.contains(":name=systemd:") }
        guard let path = line?.split(separator: ":", maxSplits: 2).last else { return nil }
        let unit = path.split(separator: "/").first { !$0.hasSuffix(".slice") }
        return unit.flatMap { $0.hasSuffix(".service") || $0.hasSuffix(".scope") ? unescaped($0) : nil }
    }

    /// systemd puts a `_` before names that the kernel reserves.
    private static func unescaped(_ name: Substring) -> String {
        String(name.hasPrefix("_") ? name.dropFirst() : name)
    }

    /// Whether it has a file open; false also where this user may not see that.
    public func hasOpen(device: UInt64, inode: UInt64) -> Bool {
        guard let descriptors = try? Directory.open("/proc/\(pid)/fd"), let names = try? descriptors.names() else {
            return false
        }
        return names.contains { name in
            var found = stat()
            // Following the link gives the open file itself, without opening it.
            return fstatat(descriptors.descriptor, name, &found, 0) == 0 && UInt64(found.st_dev) == device
                && UInt64(found.st_ino) == inode
        }
    }

    /// From here on nobody but root can trace this process, read its memory or take its descriptors, although he runs as
    /// the same user. Programs that it starts are not affected.
    public static func forbidTracing() { _ = patch_forbid_tracing() }

    /// All processes that can be seen from here.
    public static func all() -> [RunningProcess] {
        guard let processes = try? Directory.open("/proc"), let names = try? processes.names() else { return [] }
        return names.compactMap { Int32($0) }.map(RunningProcess.init)
    }

    /// The locks that belong to its open files, inherited ones too; empty where this user may not see them.
    public func locks() -> [FileLocks.Lock] {
        guard let descriptors = try? Directory.open("/proc/\(pid)/fdinfo"), let names = try? descriptors.names() else {
            return []
        }
        return names.flatMap { name in
            let lines = read("fdinfo/\(name)").split(separator: "\n").filter { $0.hasPrefix("lock:") }
            return FileLocks.locks(in: lines.map { $0.dropFirst(5) }.joined(separator: "\n"))
        }
    }

    private func read(_ name: String) -> String {
        guard let file = try? File.open("/proc/\(pid)/\(name)"), let bytes = try? file.read(limit: 16384) else {
            return ""
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
