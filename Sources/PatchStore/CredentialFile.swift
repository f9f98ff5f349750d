import Glibc
public import PatchFiles
public import PatchModel

/// A file with a password, as a folder's configuration names it.
///
/// It is opened once: what was checked is what is read, and a worker gets a copy. The name alone says nothing, as the
/// folder's owner may be able to put something else under it at any time, a link to a secret of root's too.
public enum CredentialFile {
    /// In bytes.
    private static let limit = 64 << 10

    /// Reads one, if nobody but root and the folder's owner may know or change it.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - key: of the configuration, for messages.
    ///   - name, uid: the folder's owner.
    /// - Throws: with the code `database`.
    public static func read(
        _ path: String, of folder: String, _ key: String, owner name: String, _ uid: UInt32
    ) throws(Fault) -> [UInt8] {
        let found: Found
        do throws(FileError) { found = try look(at: path, owner: name, uid) } catch {
            found = .refused(error.reason, "correct \"\(key)\" in the configuration, or put the file there")
        }
        switch found {
        case .content(let bytes): return bytes
        case .refused(let cause, let wayOut):
            throw Fault(folder: folder, .database, "cannot use the \(key) \(path): \(cause); \(wayOut)")
        }
    }

    private enum Found {
        case content([UInt8])
        case refused(_ cause: String, _ wayOut: String)
    }

    private static func look(at path: String, owner name: String, _ uid: UInt32) throws(FileError) -> Found {
        let file = try File.look(at: path)
        let status = try file.status()
        guard status.kind == .file, status.size <= limit else {
            return .refused("it is no small file", "its lines are user=NAME and password=TEXT")
        }
        guard status.mode & 0o077 == 0 else { return .refused("others may read or write it", "chmod 600 \(path)") }
        guard [0, uid, geteuid()].contains(status.uid) else {
            return .refused("it belongs to uid \(status.uid)", "chown \(name) \(path)")
        }
        if status.uid != uid, let cause = try whyOthersDecide(path, status) {
            return .refused(
                "it belongs to root, and \(cause)",
                "put it where only root decides, as below /etc/patchd, or chown \(name) \(path)")
        }
        return .content(try file.reopened().read(limit: limit))
    }

    /// Who else could have led a path to a file of root's; nil: nobody. What the folder's owner may read, he may name as
    /// he likes, but root's file is given to him only where root has named it.
    private static func whyOthersDecide(_ path: String, _ file: FileStatus) throws(FileError) -> String? {
        var directory = try Directory.open("/")
        var components = path.split(separator: "/").map(String.init)
        guard let name = components.popLast() else { return "it is a directory" }
        for component in components {
            let place = directory.path == "/" ? "/\(component)" : "\(directory.path)/\(component)"
            let found = try directory.status(component)
            guard found?.kind == .directory else { return "\(place) is a link" }
            let next = try directory.directory(component)
            let status = try next.status()
            // In a sticky directory nobody else can rename or make what belongs to root.
            guard status.uid == 0, status.mode & 0o022 == 0 || status.mode & 0o1000 != 0 else {
                return "others may write to \(place)"
            }
            directory = next
        }
        guard let found = try directory.status(name), found.device == file.device, found.inode == file.inode else {
            return "\(path) is a link"
        }
        return found.links == 1 ? nil : "it has a second name"
    }

    /// Writes what was read where a worker finds it, readable for its user alone.
    ///
    /// - Parameters:
    ///   - directory: becomes the user's.
    ///   - user: nil: this process's own.
    public static func write(
        _ credentials: [(name: String, bytes: [UInt8])], to directory: borrowing Directory, for user: UserIdentity?
    ) throws(FileError) {
        for (name, bytes) in credentials {
            let copy = try directory.createFile(name)
            try copy.write(bytes)
            guard fchmod(copy.descriptor, 0o400) == 0 else { throw FileError("protect", copy.path) }
            guard let user else { continue }
            guard fchown(copy.descriptor, user.uid, user.gid) == 0 else { throw FileError("give", copy.path) }
        }
        guard let user else { return }
        guard fchown(directory.descriptor, user.uid, user.gid) == 0 else { throw FileError("give", directory.path) }
    }
}
