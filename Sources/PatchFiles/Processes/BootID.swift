/// Distinguishes one boot from another.
public enum BootID {
    /// The kernel's boot id (random(4)) and the start of the first process. In a container only the latter changes,
    /// because a service with `ProtectKernelTunables=` sees the host's boot id there. Empty where neither is known,
    /// which is no boot.
    ///
    /// Why: docs/decisions/units.md#a-boot-is-the-kernels-boot-id-and-the-start-of-process-1
    public static var current: String {
        var kernel = ""
        if let file = try? File.open("/proc/sys/kernel/random/boot_id"), let bytes = try? file.read(limit: 64) {
            kernel = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
        let first = RunningProcess(1).started
        return kernel.isEmpty && first == 0 ? "" : "\(kernel) \(first)"
    }
}
