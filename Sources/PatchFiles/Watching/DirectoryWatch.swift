import CLinux
import Glibc
import Synchronization

/// Waits until something may have happened in one of several directories, until somebody calls ``wake()``, or until a
/// time has passed. Events are a hint only: each reader checks what there is (inotify(7): queues overflow,
/// writes through mmap and by other hosts are never seen). Where the kernel has no watch left, waits end after a second
/// and the look is all that there is.
public final class DirectoryWatch: Sendable {
    /// Why a wait ended.
    public enum Ending: Sendable {
        /// Something happened in the directories or to a file.
        case changed
        /// By ``DirectoryWatch/wake()`` or the descriptor; nothing happened.
        case woken
        case timeout
    }

    private struct Watched {
        /// The kernel's numbers of the watches, by path.
        var directories: [String: Int32] = [:]
        var files: [String: Int32] = [:]
        /// What is not watched though it is there.
        var missing: Set<String> = []
        var problem: FileError?
        /// By directory.
        var renamed: [String: Set<String>] = [:]
        var hasChanged = false
    }

    private let bell: File
    private let watched = Mutex(Watched())

    /// Names that are kept of each directory's renames. They are a hint, and anybody may make as many as he likes.
    private static let mostNames = 50_000
    /// Seconds until the next look where something is not watched.
    private static let rescan = 1.0
    /// What is added to an eventfd(2) by ``ring(_:)``; ``wake()`` and signal handlers add 1.
    private static let ownRing: UInt64 = 1 << 32

    /// Starts to watch.
    ///
    /// - Throws: when a directory is not there. That the kernel has no watch left is no error, see ``problem``.
    public init(_ paths: [String]) throws(FileError) {
        let counter = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard counter >= 0 else { throw FileError("watch", paths.first ?? "") }
        bell = File(adopting: counter, path: "eventfd")
        for path in paths { try add(directory: path) }
    }

    deinit {
        guard let queue = try? WatchQueue.shared() else { return }
        let id = ObjectIdentifier(self)
        watched.withLock { watched in
            for (path, number) in watched.directories { queue.remove(path, number, of: id) }
            for (path, number) in watched.files { queue.remove(path, number, of: id) }
        }
    }

    /// What could not be watched, and why; nil while all is. It is tried again with each wait.
    public var problem: FileError? { watched.withLock(\.problem) }

    private func add(directory path: String) throws(FileError) {
        let mask = UInt32(
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_MOVE_SELF | IN_DELETE_SELF)
        do throws(FileError) {
            let number = try WatchQueue.shared().add(path, mask | UInt32(IN_ONLYDIR), for: self)
            watched.withLock { $0.directories[path] = number }
        } catch {
            guard Self.isExhausted(error) else { throw error }
            watched.withLock { watched in
                watched.missing.insert(path)
                watched.problem = FileError(error.operation, path, number: error.number)
            }
        }
    }

    /// Whether it is the kernel that has no more to give to this user.
    private static func isExhausted(_ error: FileError) -> Bool {
        [EMFILE, ENFILE, ENOSPC, ENOMEM].contains(error.number)
    }

    private func addMissing() {
        let missing = watched.withLock { watched in
            defer {
                watched.missing = []
                watched.problem = nil
            }
            return watched.missing
        }
        for path in missing where (try? add(directory: path)) == nil {
            // It is gone; the look says so.
            continue
        }
    }

    /// The names in a directory, one of those that were given, that last came by a rename, as far as was seen by the last
    /// wait. A file is written before it is renamed.
    public func cameByRename(in path: String) -> Set<String> { watched.withLock { $0.renamed[path] ?? [] } }

    /// Also ends waits when a file is written to, replaced or removed. One that is not there is not watched, which is no
    /// error: the reader checks for itself. What was watched under this path before is released: a file that has another
    /// name as well would be watched for ever.
    public func watch(file path: String) {
        let mask = UInt32(IN_ATTRIB | IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_DONT_FOLLOW)
        guard let queue = try? WatchQueue.shared() else { return }
        let number = try? queue.add(path, mask, for: self)
        let before = watched.withLock { watched in
            defer { watched.files[path] = number }
            return watched.files[path]
        }
        if let before, before != number { queue.remove(path, before, of: ObjectIdentifier(self)) }
    }

    /// Ends ``watch(file:)``; a file that is not watched is no error.
    public func unwatch(file path: String) {
        guard let number = watched.withLock({ $0.files.removeValue(forKey: path) }) else { return }
        try? WatchQueue.shared().remove(path, number, of: ObjectIdentifier(self))
    }

    /// An eventfd(2): what a signal handler, which can hold no reference, writes to as ``wake()`` does.
    public var bellDescriptor: Int32 { bell.descriptor }

    /// Ends the wait that is under way or the next one. Async-signal-safe.
    public func wake() {
        var one: UInt64 = 1
        _ = Glibc.write(bell.descriptor, &one, 8)
    }

    /// Has the one who waits at an eventfd(2) look what there is for it.
    static func ring(_ bell: Int32) {
        var ring = ownRing
        _ = Glibc.write(bell, &ring, 8)
    }

    /// Blocks the calling thread.
    ///
    /// - Parameters:
    ///   - seconds: at most; infinite when nil.
    ///   - descriptor: the wait ends also when this one is readable, which it stays.
    @discardableResult
    public func wait(seconds: Double?, or descriptor: Int32 = -1) -> Ending {
        addMissing()
        let limit = problem == nil ? seconds : min(seconds ?? Self.rescan, Self.rescan)
        let end = limit.map { MonotonicClock.seconds + $0 }
        let queue = try? WatchQueue.shared()
        let id = ObjectIdentifier(self)
        while true {
            let reads = queue?.begin(id, bell: bell.descriptor) ?? false
            var sources = [
                pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
                // poll(2) passes over -1.
                pollfd(fd: reads ? queue?.descriptor ?? -1 : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let rest = end.map { max(0, min($0 - MonotonicClock.seconds, 3600)) }
            poll(&sources, 3, rest.map { Int32(($0 * 1000).rounded(.up)) } ?? -1)
            if reads { queue?.dispatch() }
            queue?.end(id)
            var rung: UInt64 = 0
            while read(bell.descriptor, &rung, 8) < 0, errno == EINTR {}
            let hasChanged = watched.withLock { watched in
                defer { watched.hasChanged = false }
                return watched.hasChanged
            }
            if hasChanged { return .changed }
            // A caller who handles signals wants to see to them.
            if rung % Self.ownRing != 0 || sources[2].revents != 0 { return .woken }
            if let end, MonotonicClock.seconds >= end { return .timeout }
        }
    }

    /// Notes what happened to a file or directory that is watched under some paths.
    func note(_ event: WatchEvent, at paths: Set<String>) {
        watched.withLock { watched in
            watched.hasChanged = true
            if event.isOverflow { watched.renamed = [:] }
            for path in paths where watched.directories[path] != nil && !event.name.isEmpty {
                if event.mask & UInt32(IN_MOVED_TO) != 0 {
                    if watched.renamed[path, default: []].count >= Self.mostNames { watched.renamed[path] = [] }
                    watched.renamed[path, default: []].insert(event.name)
                } else if event.mask & UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM) != 0 {
                    watched.renamed[path]?.remove(event.name)
                }
            }
        }
        Self.ring(bell.descriptor)
    }
}
