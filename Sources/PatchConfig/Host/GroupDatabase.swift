import Glibc

/// The groups of this host.
enum GroupDatabase {
    static func exists(_ name: String) -> Bool {
        var size = 4096
        while true {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            var entry = group()
            var found: UnsafeMutablePointer<group>?
            let code = getgrnam_r(name, &entry, buffer, size, &found)
            if code == EINTR { continue }
            guard code == ERANGE, size < 1 << 22 else { return code == 0 && found != nil }
            size *= 4
        }
    }

    /// Groups that can be listed, for suggestions; a directory service may have more. Not thread-safe.
    static func names() -> [String] {
        setgrent()
        defer { endgrent() }
        var names: [String] = []
        while names.count < 10_000, let entry = getgrent() { names.append(String(cString: entry.pointee.gr_name)) }
        return names
    }
}
