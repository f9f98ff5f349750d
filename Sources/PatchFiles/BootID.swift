/// Tells one boot from the next.
public enum BootID {
    /// The kernel's boot (random(4)) and the start of the first process: in a container only that changes, as a service with
    /// `ProtectKernelTunables=` sees the host's boot there. Empty where neither is known, which is no boot.
    public static var current: String {
        var kernel = ""
        if let file = try? File.open("/proc/sys/kernel/random/boot_id"), let bytes = try? file.read(limit: 64) {
            kernel = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
        let first = RunningProcess(1).started
        return kernel.isEmpty && first == 0 ? "" : "\(kernel) \(first)"
    }
}
