import Glibc
import PatchFiles
import PatchModel

/// Writes the checked tree of plain files beneath a directory, or only checks when there is none.
///
/// Files are 0644 and directories 0755, whatever the archive says: other users read the tree through a passed
/// descriptor. The modes that the archive asks for are in the table of contents.
struct TreeWriter: ~Copyable {
    private let root: Directory?
    private var file: File?

    init(_ root: consuming Directory?) {
        self.root = root
        file = nil
    }

    /// Makes all directories, also those that only files imply.
    func makeDirectories(_ entries: [(path: ExactText, isDirectory: Bool)]) throws(FileError) {
        switch root {
        case .none: return
        case .some(let root):
            var paths = Set(entries.flatMap(\.path.parents))
            for entry in entries where entry.isDirectory { paths.insert(entry.path) }
            // Sorted, so that parents come before their children.
            for path in paths.sorted() { try root.makeDirectory(path.description, mode: 0o755) }
        }
    }

    mutating func begin(_ path: ExactText) throws(FileError) {
        switch root {
        case .none: return
        case .some(let root): file = try root.createFile(path.description, mode: 0o644)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        switch file {
        case .none: return
        case .some(let file): try file.write(bytes)
        }
    }

    mutating func end() { file = nil }

    /// Makes everything durable at once: one syncfs(2) costs less than an fsync(2) a file.
    func sync() throws(FileError) {
        switch root {
        case .none: return
        case .some(let root): try root.syncFileSystem()
        }
    }
}
