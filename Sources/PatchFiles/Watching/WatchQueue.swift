import CLinux
import Glibc
import Synchronization

/// The process's one inotify(7) instance, which all its ``DirectoryWatch``es share: a user may have only 128 of them by default.
///
/// No thread of its own: of those that wait, one reads the queue, passes on to the others what is theirs, and hands the reading
/// over when its own wait ends.
final class WatchQueue: Sendable {
    private struct Subscriber {
        weak var watch: DirectoryWatch?
        /// The paths by which it asked for the file.
        var paths: Set<String>
    }

    private struct Table {
        /// By the kernel's number of the watched file.
        var subscribers: [Int32: [ObjectIdentifier: Subscriber]] = [:]
        /// Calls of inotify_add_watch(2) that are under way.
        var adding = 0
        /// Watches without subscribers, which one of those calls may be given.
        var idle: Set<Int32> = []
        var waiting: [ObjectIdentifier: Int32] = [:]
        var reader: ObjectIdentifier?
    }

    private let events: File
    private let table = Mutex(Table())

    private static let opened = Mutex<WatchQueue?>(nil)

    /// The instance; opened when it is first needed.
    ///
    /// - Throws: where this user has as many as he may have.
    static func shared() throws(FileError) -> WatchQueue {
        try opened.withLock { (opened) throws(FileError) in
            if let opened { return opened }
            let descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
            guard descriptor >= 0 else { throw FileError("watch", "inotify") }
            let queue = WatchQueue(File(adopting: descriptor, path: "inotify"))
            opened = queue
            return queue
        }
    }

    private init(_ events: consuming File) { self.events = events }

    var descriptor: Int32 { events.descriptor }

    // MARK: Watches

    /// Starts to watch a file or directory.
    ///
    /// - Returns: the kernel's number of the watch.
    func add(_ path: String, _ mask: UInt32, for watch: DirectoryWatch) throws(FileError) -> Int32 {
        table.withLock { $0.adding += 1 }
        // Without the lock: the path may lead to a file system that hangs.
        let number = inotify_add_watch(events.descriptor, path, mask | UInt32(IN_MASK_ADD))
        let error = FileError("watch", path)
        table.withLock { table in
            table.adding -= 1
            if number >= 0 {
                let id = ObjectIdentifier(watch)
                table.idle.remove(number)
                table.subscribers[number, default: [:]][id, default: Subscriber(watch: watch, paths: [])].paths.insert(
                    path)
            }
            removeIdle(&table)
        }
        guard number >= 0 else { throw error }
        return number
    }

    /// Ends what ``add(_:_:for:)`` began. The watch goes with the last one who asked for it.
    func remove(_ path: String, _ number: Int32, of id: ObjectIdentifier) {
        table.withLock { table in
            table.subscribers[number]?[id]?.paths.remove(path)
            if table.subscribers[number]?[id]?.paths.isEmpty == true { table.subscribers[number]?[id] = nil }
            guard table.subscribers[number]?.isEmpty == true else { return }
            table.subscribers[number] = nil
            table.idle.insert(number)
            removeIdle(&table)
        }
    }

    private func removeIdle(_ table: inout Table) {
        if table.adding > 0 { return }
        for number in table.idle { inotify_rm_watch(events.descriptor, number) }
        table.idle = []
    }

    // MARK: Waiting

    /// Somebody begins to wait.
    ///
    /// - Parameter bell: an eventfd(2), rung when he is to read the queue.
    /// - Returns: whether he is to read it now.
    func begin(_ id: ObjectIdentifier, bell: Int32) -> Bool {
        table.withLock { table in
            table.waiting[id] = bell
            table.reader = table.reader ?? id
            return table.reader == id
        }
    }

    /// Somebody's wait ends.
    func end(_ id: ObjectIdentifier) {
        table.withLock { table in
            table.waiting[id] = nil
            guard table.reader == id else { return }
            table.reader = table.waiting.keys.first
            if let bell = table.reader.flatMap({ table.waiting[$0] }) { DirectoryWatch.ring(bell) }
        }
    }

    /// Passes on what has happened before the call. For the one who reads. Not until there is nothing left: somebody may open
    /// and close a file faster than this is read, for ever.
    func dispatch() {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var left = patch_readable_bytes(events.descriptor)
        while left > 0 {
            let count = read(events.descriptor, &buffer, buffer.count)
            if count <= 0 { return }
            for event in Self.events(in: buffer[..<count]) { dispatch(event) }
            left -= count
        }
    }

    private func dispatch(_ event: WatchEvent) {
        let concerned = table.withLock { table -> [(DirectoryWatch, Set<String>)] in
            let all = event.isOverflow ? table.subscribers.values.flatMap(\.values) : []
            let own = table.subscribers[event.number].map { Array($0.values) } ?? []
            // The file is gone, and its number with it.
            if event.mask & UInt32(IN_IGNORED) != 0 { table.subscribers[event.number] = nil }
            return (all + own).compactMap { subscriber in subscriber.watch.map { ($0, subscriber.paths) } }
        }
        for (watch, paths) in concerned { watch.note(event, at: paths) }
    }

    /// What the kernel writes: per event its watch, mask, cookie, the length of the name, and the name, padded with zeros.
    private static func events(in bytes: ArraySlice<UInt8>) -> [WatchEvent] {
        func number(_ at: Int) -> UInt32 {
            bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at - bytes.startIndex, as: UInt32.self) }
        }
        var events: [WatchEvent] = []
        var at = bytes.startIndex
        while at + 16 <= bytes.endIndex {
            let end = min(at + 16 + Int(number(at + 12)), bytes.endIndex)
            events.append(
                WatchEvent(
                    number: Int32(bitPattern: number(at)), mask: number(at + 4),
                    name: String(validating: bytes[at + 16..<end].prefix { $0 != 0 }, as: UTF8.self) ?? ""))
            at = end
        }
        return events
    }
}

/// One event of inotify(7).
struct WatchEvent {
    var number: Int32
    var mask: UInt32
    /// Of an entry in a watched directory; empty for the file itself, and for a name that is not UTF-8.
    var name: String

    var isOverflow: Bool { mask & UInt32(IN_Q_OVERFLOW) != 0 }
}
