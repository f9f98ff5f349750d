/// A setting of a transient unit: a unit file's directive by its D-Bus name and type. Add what is missing here; the
/// names are in org.freedesktop.systemd1(5), most as in the unit file.
public struct UnitProperty: Hashable, Sendable {
    let name: String
    let value: BusValue

    /// `ReadWritePaths=`: what stays writable below `ProtectSystem=strict`.
    public static func readWritePaths(_ paths: [String]) -> Self { Self(name: "ReadWritePaths", value: .texts(paths)) }
    /// `ReadOnlyPaths=`.
    public static func readOnlyPaths(_ paths: [String]) -> Self { Self(name: "ReadOnlyPaths", value: .texts(paths)) }
    /// `InaccessiblePaths=`.
    public static func inaccessiblePaths(_ paths: [String]) -> Self {
        Self(name: "InaccessiblePaths", value: .texts(paths))
    }
    /// `BindPaths=`: each is seen at its own path, also below one that is hidden or can only be read; `-` is in front of each.
    public static func bindPaths(_ paths: [String]) -> Self { Self(name: "BindPaths", value: .binds(paths)) }
    /// `BindReadOnlyPaths=`: the same, but they can only be read.
    public static func bindReadOnlyPaths(_ paths: [String]) -> Self {
        Self(name: "BindReadOnlyPaths", value: .binds(paths))
    }
    /// `RequiresMountsFor=`: the mounts that these paths need are mounted first.
    public static func requiresMountsFor(_ paths: [String]) -> Self {
        Self(name: "RequiresMountsFor", value: .texts(paths))
    }
    /// `After=`.
    public static func after(_ units: [String]) -> Self { Self(name: "After", value: .texts(units)) }
    /// `ProtectSystem=`: `strict`, `full`, `yes`, `no`.
    public static func protectSystem(_ mode: String) -> Self { Self(name: "ProtectSystem", value: .text(mode)) }
    /// `ProtectHome=`: `yes`, `read-only`, `tmpfs`, `no`.
    public static func protectHome(_ mode: String) -> Self { Self(name: "ProtectHome", value: .text(mode)) }
    /// `ProtectProc=`: `invisible`, `noaccess`, `ptraceable`, `default`.
    public static func protectProc(_ mode: String) -> Self { Self(name: "ProtectProc", value: .text(mode)) }
    /// `DevicePolicy=`: `closed`, `strict`, `auto`.
    public static func devicePolicy(_ mode: String) -> Self { Self(name: "DevicePolicy", value: .text(mode)) }
    /// `KillMode=`: `control-group`, `mixed`, `process`, `none`.
    public static func killMode(_ mode: String) -> Self { Self(name: "KillMode", value: .text(mode)) }
    /// `OOMPolicy=`: `continue`, `stop`, `kill`.
    public static func oomPolicy(_ mode: String) -> Self { Self(name: "OOMPolicy", value: .text(mode)) }
    /// `SyslogIdentifier=`.
    public static func syslogIdentifier(_ name: String) -> Self { Self(name: "SyslogIdentifier", value: .text(name)) }
    /// `LogExtraFields=`: journal fields `NAME=value` for systemd's own messages about the unit, and for its output.
    public static func logExtraFields(_ fields: [String]) -> Self {
        Self(name: "LogExtraFields", value: .bytes(fields))
    }
    /// `SystemCallArchitectures=`: `native` …
    public static func systemCallArchitectures(_ names: [String]) -> Self {
        Self(name: "SystemCallArchitectures", value: .texts(names))
    }
    /// `SystemCallFilter=`: the only system calls, and groups of them, that there are.
    public static func systemCallFilter(_ names: [String]) -> Self {
        Self(name: "SystemCallFilter", value: .choice(allows: true, names))
    }
    /// `SystemCallErrorNumber=`: how other system calls fail; without, the process is killed.
    public static func systemCallErrorNumber(_ number: Int32) -> Self {
        Self(name: "SystemCallErrorNumber", value: .integer(number))
    }
    /// `RestrictAddressFamilies=`: the only ones that sockets have.
    public static func restrictAddressFamilies(_ names: [String]) -> Self {
        Self(name: "RestrictAddressFamilies", value: .choice(allows: true, names))
    }
    /// `MemoryMax=`, in bytes.
    public static func memoryMax(_ bytes: UInt64) -> Self { Self(name: "MemoryMax", value: .number(bytes)) }
    /// `MemoryMax=`, as a share of what the host has.
    public static func memoryMax(share: Double) -> Self {
        Self(name: "MemoryMaxScale", value: .mask(UInt32(Double(UInt32.max) * min(max(share, 0), 1))))
    }
    /// `TasksMax=`: processes and threads.
    public static func tasksMax(_ count: UInt64) -> Self { Self(name: "TasksMax", value: .number(count)) }
    /// `TimeoutStopSec=`, from SIGTERM to SIGKILL.
    public static func timeoutStop(_ time: Duration) -> Self {
        Self(name: "TimeoutStopUSec", value: .number(time.usec))
    }
    /// `RuntimeMaxSec=`.
    public static func runtimeMax(_ time: Duration) -> Self { Self(name: "RuntimeMaxUSec", value: .number(time.usec)) }
    /// `CapabilityBoundingSet=`, a bit for each capability (capabilities(7)); 0 leaves none.
    public static func capabilityBoundingSet(_ bits: UInt64) -> Self {
        Self(name: "CapabilityBoundingSet", value: .number(bits))
    }
    /// `AmbientCapabilities=`, as ``capabilityBoundingSet(_:)``.
    public static func ambientCapabilities(_ bits: UInt64) -> Self {
        Self(name: "AmbientCapabilities", value: .number(bits))
    }
    /// `LimitNOFILE=`, soft and hard.
    public static func limitOpenFiles(_ number: UInt64) -> Self { Self(name: "LimitNOFILE", value: .number(number)) }
    /// `Nice=`, -20 to 19.
    public static func nice(_ level: Int32) -> Self { Self(name: "Nice", value: .integer(level)) }
    /// `OOMScoreAdjust=`, -1000 to 1000.
    public static func oomScoreAdjust(_ score: Int32) -> Self { Self(name: "OOMScoreAdjust", value: .integer(score)) }
    /// `UMask=`.
    public static func umask(_ mask: UInt32) -> Self { Self(name: "UMask", value: .mask(mask)) }

    /// `Type=oneshot`: it is up when it has ended well.
    public static let oneshot = Self(name: "Type", value: .text("oneshot"))
    /// `TimeoutStartSec=`.
    public static func timeoutStart(_ time: Duration) -> Self {
        Self(name: "TimeoutStartUSec", value: .number(time.usec))
    }
    /// `TemporaryFileSystem=`: an empty directory of its own, with mount options such as `mode=1777`.
    public static func temporaryFileSystem(_ path: String, _ options: String) -> Self {
        Self(name: "TemporaryFileSystem", value: .pair(path, options))
    }
    /// `LoadCredential=`: a file that the service finds in `CREDENTIALS_DIRECTORY` under a name.
    public static func loadCredential(_ name: String, from path: String) -> Self {
        Self(name: "LoadCredential", value: .pair(name, path))
    }
    /// `PrivateTmp=`.
    public static let privateTmp = flag("PrivateTmp")
    /// `PrivateDevices=`.
    public static let privateDevices = flag("PrivateDevices")
    /// `PrivateNetwork=`.
    public static let privateNetwork = flag("PrivateNetwork")
    /// `PrivateIPC=`.
    public static let privateIPC = flag("PrivateIPC")
    /// `NoNewPrivileges=`.
    public static let noNewPrivileges = flag("NoNewPrivileges")
    /// `ProtectKernelTunables=`.
    public static let protectKernelTunables = flag("ProtectKernelTunables")
    /// `ProtectKernelModules=`.
    public static let protectKernelModules = flag("ProtectKernelModules")
    /// `ProtectKernelLogs=`.
    public static let protectKernelLogs = flag("ProtectKernelLogs")
    /// `ProtectControlGroups=`.
    public static let protectControlGroups = flag("ProtectControlGroups")
    /// `ProtectClock=`.
    public static let protectClock = flag("ProtectClock")
    /// `ProtectHostname=`.
    public static let protectHostname = flag("ProtectHostname")
    /// `LockPersonality=`.
    public static let lockPersonality = flag("LockPersonality")
    /// `RestrictRealtime=`.
    public static let restrictRealtime = flag("RestrictRealtime")
    /// `RestrictSUIDSGID=`.
    public static let restrictSUIDSGID = flag("RestrictSUIDSGID")
    /// `RestrictNamespaces=yes`: no namespace can be made or joined.
    public static let withoutNamespaces = Self(name: "RestrictNamespaces", value: .number(0))
    /// `DefaultDependencies=no`: it is not stopped by `shutdown.target`.
    public static let withoutDefaultDependencies = Self(name: "DefaultDependencies", value: .flag(false))

    private static func flag(_ name: String) -> Self { Self(name: name, value: .flag(true)) }
}

extension Duration {
    /// Whole microseconds, as systemd counts; 0 for a negative time.
    var usec: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0 ? 0 : UInt64(seconds) * 1_000_000 + UInt64(max(attoseconds, 0) / 1_000_000_000_000)
    }
}
