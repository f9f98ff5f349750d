import CLinux
import Glibc
import Synchronization

/// Waits until something may have happened in one of several directories, until somebody calls ``wake()``, or until a
/// time has passed. Events are a hint only: whoever waits looks for itself what there is (inotify(7): queues overflow,
/// writes through mmap and by other hosts are never seen).
public final class DirectoryWatch: Sendable {
    private let events: File
    private let bell: File
    /// The directories, by the kernel's number of their watch.
    private let watched: [Int32: String]
    /// By directory.
    private let renamed = Mutex<[String: Set<String>]>([:])

    /// Starts to watch.
    public init(_ paths: [String]) throws(FileError) {
        let queue = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard queue >= 0 else { throw FileError("watch", paths.first ?? "") }
        events = File(adopting: queue, path: "inotify")
        let counter = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard counter >= 0 else { throw FileError("watch", paths.first ?? "") }
        bell = File(adopting: counter, path: "eventfd")
        let mask = UInt32(
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_MOVE_SELF | IN_DELETE_SELF)
        var watched: [Int32: String] = [:]
        for path in paths {
            let number = inotify_add_watch(queue, path, mask | UInt32(IN_ONLYDIR))
            guard number >= 0 else { throw FileError("watch", path) }
            watched[number] = path
        }
        self.watched = watched
    }

    /// The names in a directory, one of those that were given, that last came by a rename, as far as was seen by the last
    /// wait. Whoever renames has written before.
    public func cameByRename(in path: String) -> Set<String> { renamed.withLock { $0[path] ?? [] } }

    /// Also ends waits when a file is written to, replaced or removed. One that is not there is not watched, which is no
    /// error: whoever waits looks for itself.
    public func watch(file path: String) {
        let mask = UInt32(IN_ATTRIB | IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_DONT_FOLLOW)
        inotify_add_watch(events.descriptor, path, mask)
    }

    /// An eventfd(2): what a signal handler, which can hold no reference, writes to as ``wake()`` does.
    public var bellDescriptor: Int32 { bell.descriptor }

    /// Ends the wait that is under way or the next one. Async-signal-safe.
    public func wake() {
        var one: UInt64 = 1
        _ = Glibc.write(bell.descriptor, &one, 8)
    }

    /// Blocks the calling thread.
    ///
    /// - Parameters:
    ///   - seconds: at most; infinite when nil.
    ///   - descriptor: the wait ends also when this one is readable, which it stays.
    /// - Returns: whether it was woken, by ``wake()`` or the descriptor, and nothing happened in the directories.
    @discardableResult
    public func wait(seconds: Double?, or descriptor: Int32 = -1) -> Bool {
        var sources = [
            pollfd(fd: events.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
            // poll(2) passes over -1.
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let limit = seconds.map { Int32(max(0, min($0, 3600)) * 1000) } ?? -1
        let found = poll(&sources, 3, limit)
        var buffer = [UInt8](repeating: 0, count: 65536)
        var happened = false
        while true {
            let count = Glibc.read(events.descriptor, &buffer, buffer.count)
            if count <= 0 { break }
            happened = true
            note(buffer[..<count])
        }
        while Glibc.read(bell.descriptor, &buffer, 8) > 0 {}
        return found > 0 && !happened
    }

    /// Keeps the names that came by a rename, from what the kernel tells: per event its watch, mask, cookie, the length of
    /// the name, and the name, padded with zeros.
    private func note(_ bytes: ArraySlice<UInt8>) {
        func number(_ at: Int) -> UInt32 {
            bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at - bytes.startIndex, as: UInt32.self) }
        }
        renamed.withLock { renamed in
            var at = bytes.startIndex
            while at + 16 <= bytes.endIndex {
                let mask = number(at + 4)
                let end = min(at + 16 + Int(number(at + 12)), bytes.endIndex)
                let name = String(decoding: bytes[at + 16..<end].prefix { $0 != 0 }, as: UTF8.self)
                let path = watched[Int32(bitPattern: number(at))]
                at = end
                if mask & UInt32(IN_Q_OVERFLOW) != 0 { renamed = [:] }
                guard let path else { continue }
                if mask & UInt32(IN_MOVED_TO) != 0 {
                    renamed[path, default: []].insert(name)
                } else if mask & UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM) != 0 {
                    renamed[path]?.remove(name)
                }
            }
        }
    }
}
