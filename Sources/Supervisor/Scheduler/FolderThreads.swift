import PatchModel
import Synchronization

/// The threads of all folders: one for each directory, no matter what asks for it.
final class FolderThreads: Sendable {
    private let threads = Mutex<[String: FolderThread]>([:])

    /// The thread on which calls on a folder's file system run.
    func thread(of folder: Folder) -> FolderThread {
        threads.withLock { threads in
            if let thread = threads[folder.path] { return thread }
            let thread = FolderThread(folder: folder.name, path: folder.path)
            threads[folder.path] = thread
            return thread
        }
    }

    /// Forgets threads of directories that are no folder's any more.
    func keep(_ folders: [Folder]) {
        let paths = Set(folders.map(\.path))
        threads.withLock { $0 = $0.filter { paths.contains($0.key) || $0.value.isStuck } }
    }
}
