import Glibc
import Logging
import PatchFiles
import PatchJSON
import PatchModel
import Synchronization

/// Writes and removes `update.lock` in an endpoint's folders. The only thing that the daemon writes there, and never
/// read back as truth: a folder's owner can change it.
final class Locks: Sendable {
    /// A lock that this process wrote, and the file that it became.
    private struct Written {
        var lock: UpdateLock
        /// Nil for one that somebody has removed at once.
        var file: FileStatus?
    }

    private let endpoint: Endpoint
    private let logger: Logger
    private let watch: DirectoryWatch
    /// By folder; nil for "freed". A folder that is missing is not known. Held through the work, so that restoring a
    /// lock cannot meet its removal.
    private let written = Mutex<[String: Written?]>([:])

    private let restored = Mutex(RepeatCount())

    /// - Parameter watch: woken when a lock that was written is touched.
    init(endpoint: Endpoint, logger: Logger, watch: DirectoryWatch) {
        self.endpoint = endpoint
        self.logger = logger
        self.watch = watch
    }

    /// Makes the locks of all active folders what they should be, parents first.
    ///
    /// - Parameter wanted: by folder; folders that are not in it are freed, children before parents.
    /// - Returns: the folders whose lock is another now; nil for one that is free.
    /// - Throws: when a lock cannot be written. A lock that cannot be removed is told, and left.
    @discardableResult
    func set(_ wanted: [String: UpdateLock]) throws(Fault) -> [String: UpdateLock?] {
        try written.withLock { (written: inout [String: Written?]) throws(Fault) in
            var changed: [String: UpdateLock?] = [:]
            for folder in endpoint.activeFolders {
                guard let lock = wanted[folder.name], written[folder.name]??.lock != lock else { continue }
                let isNew = (written[folder.name] ?? nil) == nil
                written[folder.name] = try write(lock, folder)
                changed[folder.name] = .some(lock)
                if isNew { log(.folderLocked, "is locked (\(lock.code), \(lock.phase.rawValue))", folder, lock) }
            }
            for folder in endpoint.activeFolders.reversed() where wanted[folder.name] == nil {
                if case .some(.none) = written[folder.name] { continue }
                do throws(FileError) {
                    watch.unwatch(file: folder.path + "/" + UpdateLock.fileName)
                    let wasThere = try Self.remove(folder)
                    if wasThere {
                        log(.folderUnlocked, "is unlocked", folder, (written[folder.name] ?? nil)?.lock)
                        changed[folder.name] = .some(nil)
                    }
                    written[folder.name] = .some(.none)
                } catch {
                    log(
                        .cannotUnlock, "cannot be unlocked: \(error); remove \(UpdateLock.fileName) there by hand",
                        folder, (written[folder.name] ?? nil)?.lock)
                }
            }
            return changed
        }
    }

    /// The folders that are known not to be locked.
    var free: Set<String> {
        written.withLock { written in Set(written.filter { $0.value == nil }.keys) }
    }

    /// Of some changes, those that still hold.
    func current(_ changed: [String: UpdateLock?]) -> [String: UpdateLock?] {
        written.withLock { written in changed.filter { name, lock in (written[name] ?? nil)?.lock == lock } }
    }

    /// The locks that lie in the folders, for when no job can say which should: then the one that is there stays. Nil for
    /// one that cannot be read.
    func found() -> [String: UpdateLock?] {
        var found: [String: UpdateLock?] = [:]
        for folder in endpoint.activeFolders {
            guard let directory = try? Directory.openWithoutLinks(folder.path),
                (try? directory.status(UpdateLock.fileName)) != nil
            else { continue }
            let bytes = (try? directory.readFile(UpdateLock.fileName)) ?? []
            found[folder.name] = .some(try? JSONText.read(UpdateLock.self, bytes))
        }
        return found
    }

    /// Writes again what somebody removed or changed.
    func restore() {
        written.withLock { written in
            for folder in endpoint.activeFolders {
                guard case .some(.some(let known)) = written[folder.name] else { continue }
                do {
                    let directory = try Directory.openWithoutLinks(folder.path)
                    if let file = known.file, try directory.status(UpdateLock.fileName) == file { continue }
                    written[folder.name] = try write(known.lock, folder)
                    guard let count = restored.withLock({ $0.note(folder.name, at: MonotonicClock.seconds) }) else {
                        continue
                    }
                    log(
                        .lockRestored,
                        "is still locked: \(UpdateLock.fileName) was touched and is restored"
                            + (count > 1 ? ", \(count) times since this was last said" : ""), folder, known.lock)
                } catch {
                    log(.cannotUnlock, "cannot be kept locked: \(error)", folder, known.lock)
                }
            }
        }
    }

    private func write(_ lock: UpdateLock, _ folder: Folder) throws(Fault) -> Written {
        do {
            let bytes = try JSONText.page(lock)
            let directory = try Directory.openWithoutLinks(folder.path)
            // It belongs to whoever owns the directory and could replace it anyway: a file of root's that he can rename
            // would, moved into holds/, be a hold of root's.
            let owner = try directory.status()
            try directory.replaceFile(
                UpdateLock.fileName, with: bytes, mode: 0o644, owner: geteuid() == 0 ? (owner.uid, owner.gid) : nil,
                through: Self.temporary)
            // Watched before it is looked at: a change in between is seen by one or the other.
            watch.watch(file: folder.path + "/" + UpdateLock.fileName)
            let status = try directory.status(UpdateLock.fileName)
            // Nothing that is watched says that it is gone.
            if status == nil { watch.wake() }
            return Written(lock: lock, file: status)
        } catch {
            throw Fault(folder: folder.name, .io, "cannot lock \(endpoint.name)/\(folder.name): \(error)")
        }
    }

    /// Whether there was one.
    private static func remove(_ folder: Folder) throws(FileError) -> Bool {
        let directory = try Directory.openWithoutLinks(folder.path)
        // What a kill left between creating the temporary file and its rename.
        if try directory.status(temporary)?.kind == .file { try directory.remove(temporary) }
        guard try directory.status(UpdateLock.fileName) != nil else { return false }
        try directory.remove(UpdateLock.fileName)
        try directory.sync()
        return true
    }

    /// One name, so that what a kill left need not be looked for: the folder may have hundreds of thousands of entries.
    private static let temporary = ".\(UpdateLock.fileName).tmp"

    private func log(_ event: Event, _ text: String, _ folder: Folder, _ lock: UpdateLock?) {
        logger.log(
            event, "\(endpoint.name)/\(folder.name) \(text)",
            EventFields(
                job: lock?.job, endpoint: endpoint.name, folder: folder.name, update: lock?.update ?? ""))
    }
}
