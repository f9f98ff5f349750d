/// How a process that keeps a folder's database in use is made to leave it.
public enum SessionEnd: Hashable, Sendable {
    /// Not at all: it is patchd's own, or what the host's users work through.
    case leave
    /// The process alone, whatever else its unit runs.
    case endProcess
    /// Its unit, which patchd starts again afterwards.
    case stopUnit(String)

    /// Services that run other people's programs: stopping one would end what is none of the folder's.
    private static let shared: Set<String> = [
        "cron", "crond", "cronie", "fcron", "bcron", "anacron", "atd", "at", "ssh", "sshd", "dropbear", "dbus",
        "dbus-broker", "user", "user-runtime-dir", "getty", "serial-getty", "console-getty", "container-getty", "gdm",
        "gdm3", "lightdm", "sddm", "xdm", "docker", "containerd", "podman", "crio", "cri-o", "kubelet", "k3s", "lxc",
        "lxcfs", "lxd", "incus", "libvirtd", "virtqemud", "snapd", "polkit", "slurmd", "jenkins",
    ]

    /// Whether a unit runs programs of others, so that it is never stopped for the sake of one of them.
    public static func isShared(_ unit: String) -> Bool {
        guard unit.hasSuffix(".service") else { return true }
        let name = String(unit.dropLast(".service".count).prefix { $0 != "@" })
        return shared.contains(name) || name.hasPrefix("systemd-")
    }

    /// Decides about one process.
    ///
    /// - Parameters:
    ///   - unit: the unit it belongs to; nil for none.
    ///   - isMain: whether it is that unit's main process. Ending it is stopping the unit, so that is done in good order,
    ///     and the unit comes back.
    ///   - isWorker: whether it is one of patchd's own programs.
    ///   - own: the units that the endpoint's `stop` names for the folder.
    public static func of(unit: String?, isMain: Bool, isWorker: Bool, own: Set<String>) -> SessionEnd {
        guard let unit else { return isWorker ? .leave : .endProcess }
        // What a script has left behind in its worker's unit is ended; the worker is not.
        if UnitSelection.isOwn(unit) { return isMain || isWorker ? .leave : .endProcess }
        if isShared(unit) { return isMain ? .leave : .endProcess }
        return isMain || own.contains(unit) ? .stopUnit(unit) : .endProcess
    }
}
