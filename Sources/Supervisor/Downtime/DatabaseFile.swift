import Glibc
import PatchFiles
import PatchModel

/// The file of a folder's database that is one, as far as the daemon has to know it: it never opens one.
struct DatabaseFile {
    private let path: String
    private let folder: Folder
    private var isAbsolute: Bool { path.hasPrefix("/") }

    /// Nil for a folder without such a database.
    init?(_ folder: Folder) {
        guard let path = folder.database?.file else { return nil }
        self.path = path
        self.folder = folder
    }

    /// The directory that it lies in, where that is not the folder's business.
    var place: String? { isAbsolute ? Directory.split(path).parent ?? "/" : nil }

    /// Whether a process has it open.
    func isOpen(in process: RunningProcess) -> Bool {
        guard let found = try? status() else { return false }
        return process.hasOpen(device: found.device, inode: found.inode)
    }

    private func status() throws -> FileStatus? {
        if isAbsolute {
            let (parent, name) = Directory.split(path)
            return try Directory.open(parent ?? "/").status(name)
        }
        return try Directory.openWithoutLinks(folder.path).status(path)
    }
}
