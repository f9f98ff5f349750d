import Foundation
import Support

/// A file system of its own for each lane of the matrix.
final class Disk {
    /// What it is.
    enum Kind: String, CaseIterable {
        /// A plain directory: needs no root, but can neither be cut off nor put back.
        case directory
        case ext4, xfs
    }

    let kind: Kind
    /// Where it is mounted.
    let path: String
    private let images: String
    private var isMounted = false
    private var image: String { images + "/image" }
    private var template: String { images + "/template" }

    /// An empty one at a path. Images lie in memory: what a power cut takes away is what was not written to the image.
    init(_ kind: Kind, at path: String) throws {
        self.kind = kind
        self.path = path
        let memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        images = "\(memory)/patchd-crash-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: images, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard kind != .directory else { return }
        // Below 300 MB mkfs.xfs refuses.
        try Command.tool("/usr/bin/truncate", "-s", kind == .xfs ? "300M" : "32M", image)
        try Command.tool("/sbin/mkfs.\(kind.rawValue)", "-q", image)
        try mount()
    }

    /// Takes it away, whoever still has something open there.
    func remove() {
        if isMounted { umount2(path, Int32(MNT_DETACH)) }
        isMounted = false
        try? FileManager.default.removeItem(atPath: images)
    }

    private func mount() throws {
        try Command.tool("/bin/mount", "-o", "loop", image, path)
        isMounted = true
    }

    /// Waits for the last process that has something open here: after a shutdown every call of it fails. Waits for the
    /// loop device, too: mounting the image while it has one gives the same file system again, with nothing lost.
    private func unmount() throws {
        let end = Date().addingTimeInterval(20)
        while umount2(path, 0) != 0 {
            guard errno == EBUSY, Date() < end else {
                throw CrashError("cannot unmount \(path): \(String(cString: strerror(errno)))")
            }
            usleep(2000)
        }
        isMounted = false
        while hasLoopDevice {
            guard Date() < end else { throw CrashError("\(image) is still in use after \(path) was unmounted") }
            usleep(2000)
        }
    }

    private var hasLoopDevice: Bool {
        let devices = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? []
        return devices.filter { $0.hasPrefix("loop") }.contains { device in
            let file = try? String(contentsOfFile: "/sys/block/\(device)/loop/backing_file", encoding: .utf8)
            return file?.hasPrefix(image) ?? false
        }
    }

    /// Keeps what is there now, for ``restore()``.
    func keep() throws {
        guard kind != .directory else { return }
        try unmount()
        try Command.tool("/bin/cp", "--sparse=always", image, template)
        try mount()
    }

    /// Puts back what was kept, with every inode as it was.
    ///
    /// - Returns: false for a plain directory, which is only emptied.
    func restore() throws -> Bool {
        guard kind != .directory else {
            for name in try FileManager.default.contentsOfDirectory(atPath: path) {
                try FileManager.default.removeItem(atPath: "\(path)/\(name)")
            }
            return false
        }
        if isMounted { try unmount() }
        try Command.tool("/bin/cp", "--sparse=always", template, image)
        try mount()
        return true
    }

    /// The power goes: nothing that is not on the disk by now gets there.
    ///
    /// - Parameter flushed: whether the file system's log is written first; data that is not written yet is lost all the
    ///   same.
    func cutPower(flushed: Bool) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CrashError("cannot open \(path)") }
        defer { close(descriptor) }
        // FS_IOC_SHUTDOWN with LOGFLUSH or NOLOGFLUSH.
        var flags: UInt32 = flushed ? 1 : 2
        guard ioctl(descriptor, 0x8004_587d, &flags) == 0 else {
            throw CrashError("cannot shut down \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// The power is back: the log is replayed.
    func restart() throws {
        try unmount()
        try mount()
    }
}
