import Glibc
import PatchFiles
import PatchModel

/// What systemd's credentials are where there is no systemd: a copy that only the worker's user reads, for as long as the
/// worker runs. A kill leaves it in the runtime directory until the next worker of the folder.
struct WorkerCredentials {
    /// The directory that the worker looks in.
    let path: String

    /// The name within it, as with systemd.
    private static let name = "database"

    init(in directory: String, of start: WorkerStart, from file: String) throws(FileError) {
        path = "\(directory)/\(start.name)"
        let content = try File.open(file).read(limit: 64 << 10)
        if mkdir(directory, 0o711) != 0, errno != EEXIST { throw FileError("create", directory) }
        let all = try Directory.open(directory)
        try all.removeTree(start.name)
        guard mkdirat(all.descriptor, start.name, 0o700) == 0 else { throw FileError("create", path) }
        let own = try all.directory(start.name)
        let copy = try own.createFile(Self.name)
        try copy.write(content)
        guard fchmod(copy.descriptor, 0o400) == 0 else { throw FileError("protect", copy.path) }
        guard let user = start.user else { return }
        guard fchown(copy.descriptor, user.uid, user.gid) == 0, fchown(own.descriptor, user.uid, user.gid) == 0 else {
            throw FileError("give", copy.path)
        }
    }

    func remove() {
        let (directory, name) = Directory.split(path)
        if let directory { try? Directory.open(directory).removeTree(name) }
    }
}
