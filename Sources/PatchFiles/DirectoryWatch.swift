import CLinux
import Glibc

/// Waits until something may have happened in one of several directories, until somebody calls ``wake()``, or until a
/// time has passed. Events are a hint only: whoever waits looks for itself what there is (inotify(7): queues overflow,
/// writes through mmap and by other hosts are never seen).
public final class DirectoryWatch: Sendable {
    private let events: File
    private let bell: File

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
        for path in paths {
            guard inotify_add_watch(queue, path, mask | UInt32(IN_ONLYDIR)) >= 0 else { throw FileError("watch", path) }
        }
    }

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
        while Glibc.read(events.descriptor, &buffer, buffer.count) > 0 { happened = true }
        while Glibc.read(bell.descriptor, &buffer, 8) > 0 {}
        return found > 0 && !happened
    }
}
