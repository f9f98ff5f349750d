import Glibc
import Logging
import PatchFiles
import PatchModel
import Synchronization

/// Writes and removes `update.lock` in an endpoint's folders. The only thing that the daemon writes there, and never
/// read back as truth: a folder's owner can change it.
final class Locks: Sendable {
    private let endpoint: Endpoint
    private let log: Logger
    /// What this process wrote: nil for "removed"; a folder that is missing is not known.
    private let written = Mutex<[String: UpdateLock?]>([:])

    init(endpoint: Endpoint, log: Logger) {
        self.endpoint = endpoint
        self.log = log
    }

    /// Makes the locks of all active folders what they should be, parents first.
    ///
    /// - Parameter wanted: by folder; folders that are not in it are freed, children before parents.
    /// - Throws: when a lock cannot be written. A lock that cannot be removed is told, and left.
    func set(_ wanted: [String: UpdateLock]) throws(Fault) {
        let folders = endpoint.activeFolders
        for folder in folders {
            guard let lock = wanted[folder.name], written.withLock({ $0[folder.name] }) != .some(lock) else { continue }
            do {
                let bytes = try JSONText.page(lock)
                let directory = try Directory.openWithoutLinks(folder.path)
                try Self.removeLeftovers(directory)
                try directory.replaceFile(UpdateLock.fileName, with: bytes, mode: 0o644)
            } catch {
                throw Fault(folder: folder.name, .io, "cannot lock \(endpoint.name)/\(folder.name): \(error)")
            }
            written.withLock { $0[folder.name] = .some(lock) }
        }
        for folder in folders.reversed() where wanted[folder.name] == nil {
            if case .some(.none) = written.withLock({ $0[folder.name] }) { continue }
            do {
                let directory = try Directory.openWithoutLinks(folder.path)
                try Self.removeLeftovers(directory)
                if try directory.status(UpdateLock.fileName) != nil {
                    try directory.remove(UpdateLock.fileName)
                    try directory.sync()
                }
                written.withLock { $0[folder.name] = .some(.none) }
            } catch {
                log.warning(
                    "cannot unlock", metadata: ["folder": "\(endpoint.name)/\(folder.name)", "error": "\(error)"])
            }
        }
    }

    /// What a kill left between creating the temporary file and its rename.
    private static func removeLeftovers(_ directory: borrowing Directory) throws(FileError) {
        for name in try directory.names() where name.hasPrefix(".\(UpdateLock.fileName).") && name.hasSuffix(".tmp") {
            try directory.remove(name)
        }
    }
}
