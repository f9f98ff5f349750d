import Glibc
import PatchFiles
import PatchModel

/// Proves before an update, once for each directory, that files can be added, exchanged and removed in it.
final class DirectoryCheck {
    private let folder: Directory
    private var known: Set<ExactText> = []
    private var knownAttributes: Set<[String]> = []

    init(_ folder: borrowing Directory) throws(FileError) { self.folder = try folder.duplicate() }

    /// Looks at a directory of the folder that was not looked at yet, and tries it.
    ///
    /// - Parameter path: empty for the folder itself. One that is not there is made by the update.
    /// - Returns: nil, or what is in the way.
    func obstacle(in path: String) throws(FileError) -> (code: FaultCode, why: String)? {
        guard known.insert(ExactText(path)).inserted, let directory = try open(path) else { return nil }
        if let why = Self.obstacle(to: directory) { return (.ownership, why) }
        do throws(FileError) {
            try directory.probe()
            return nil
        } catch {
            return (error.code, "\(directory.path): \(error)\(error.wayOut)")
        }
    }

    /// Whether a new file in a directory may get the attributes of one there: what only root may set (capabilities, some
    /// labels) the folder's owner cannot keep.
    ///
    /// - Returns: nil, or what is in the way.
    func obstacle(toAttributesOf name: String, in path: String) throws(FileError) -> String? {
        guard let directory = try open(path), Self.obstacle(to: directory) == nil else { return nil }
        let file = try directory.file(name)
        let names = try file.attributeNames()
        if names.isEmpty || !knownAttributes.insert(names).inserted { return nil }
        do throws(FileError) {
            try directory.probe { (probe) throws(FileError) in try probe.copyAttributes(from: file) }
            return nil
        } catch {
            // Another file with the same attributes is to be named too.
            knownAttributes.remove(names)
            return "\(error)"
        }
    }

    private func open(_ path: String) throws(FileError) -> Directory? {
        do throws(FileError) {
            return path.isEmpty ? try folder.duplicate() : try folder.directory(path)
        } catch {
            // A link or a file on the way is replaced by a directory, or is another fault.
            if [ENOENT, ENOTDIR, ELOOP].contains(error.number) { return nil }
            throw error
        }
    }

    /// What its attributes say about changing the names in a directory.
    ///
    /// - Returns: nil, or what is in the way.
    static func obstacle(to directory: borrowing Directory) -> String? {
        if directory.isImmutable { return "\(directory.path) is immutable or append-only; chattr -ia removes the flag" }
        guard let number = directory.refusal(W_OK | X_OK) else { return nil }
        if number == EROFS { return "\(directory.path) is mounted read-only; mount it writable, or exclude the folder" }
        guard let status = try? directory.status(), status.uid != geteuid() else {
            return "\(directory.path) is not writable for its owner; chmod u+wx makes it so"
        }
        return "\(directory.path) belongs to uid \(status.uid) and the folder's owner may not write to it; "
            + "chown it, or give him the right to write"
    }
}
