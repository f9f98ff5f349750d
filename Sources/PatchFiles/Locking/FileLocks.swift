import Glibc

/// The content of `/proc/locks`: who has which lock on which file (proc_locks(5)). Processes that are not visible from
/// here, in another container or on another host, are left out.
public enum FileLocks {
    /// The call that took the lock. Locks of the two do not conflict.
    public enum Kind: String, Sendable {
        /// flock(2): belongs to an open file, and so to all processes that inherited it.
        case flock = "FLOCK"
        /// fcntl(2): belongs to a process.
        case posix = "POSIX"
    }

    /// One line.
    public struct Lock: Hashable, Sendable {
        /// The call that took it.
        public var kind: Kind
        /// The process that took it. A process with a flock(2) may have ended since, and others may have the lock.
        public var pid: Int32
        /// Whether it is exclusive.
        public var writes: Bool
        /// The file within its file system.
        public var inode: UInt64
        /// `major:minor`, hexadecimal.
        public var device: String
        /// Which bytes of the file.
        public var bytes: ClosedRange<UInt64>

        /// Whether it is on a file. On file systems whose files show another device than their locks (btrfs), it never
        /// is.
        public func isOn(device: UInt64, inode: UInt64) -> Bool {
            // The C library's dev_t: 12 bits of the major number above 8 of the minor, the rest above those.
            let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
            let minor = device & 0xff | (device >> 12) & 0xffff_ff00
            return self.inode == inode && self.device == "\(Self.hex(major)):\(Self.hex(minor))"
        }

        /// As the kernel prints it: two digits at least.
        private static func hex(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return text.utf8.count < 2 ? "0" + text : text
        }
    }

    /// All current locks; empty where `/proc` cannot be read.
    public static func all() -> [Lock] { locks(in: text("/proc/locks")) }

    /// Reads lines such as `1: POSIX  ADVISORY  READ 4711 fe:01:131077 1073741826 1073742335`; locks that are only
    /// waited for (`->`) are left out.
    public static func locks(in text: String) -> [Lock] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 8, let kind = Kind(rawValue: String(words[1])), let pid = Int32(words[4]) else {
                return nil
            }
            let place = words[5].split(separator: ":")
            guard place.count == 3, let inode = UInt64(place[2]), let first = UInt64(words[6]) else { return nil }
            let last = UInt64(words[7]) ?? .max
            guard first <= last else { return nil }
            return Lock(
                kind: kind, pid: pid, writes: words[3] == "WRITE", inode: inode, device: "\(place[0]):\(place[1])",
                bytes: first...last)
        }
    }

    /// Reads a file of `/proc`, whose size is not known beforehand.
    static func text(_ path: String) -> String {
        guard let file = try? File.open(path) else { return "" }
        var text: [UInt8] = []
        while let block = try? file.read(at: Int64(text.count), limit: 65536), !block.isEmpty { text += block }
        return String(decoding: text, as: UTF8.self)
    }
}
