import Glibc
import PatchFiles
import PatchModel

/// What systemd's credentials are where there is no systemd: a copy that only the worker's user reads, for as long as the
/// worker runs. A kill leaves it in the runtime directory until the next worker of the folder.
struct WorkerCredentials {
    /// The directory that the worker looks in.
    let path: String

    init(in directory: String, of start: WorkerStart) throws(FileError) {
        path = "\(directory)/\(start.name)"
        var contents: [(name: String, bytes: [UInt8])] = []
        for file in start.credentialFiles {
            // It was checked; a FIFO that was put in its place since must not be waited for.
            contents.append((file.name, try File.open(file.path, O_RDONLY | O_NONBLOCK).read(limit: 64 << 10)))
        }
        if mkdir(directory, 0o711) != 0, errno != EEXIST { throw FileError("create", directory) }
        let all = try Directory.open(directory)
        try all.removeTree(start.name)
        guard mkdirat(all.descriptor, start.name, 0o700) == 0 else { throw FileError("create", path) }
        let own = try all.directory(start.name)
        for (name, bytes) in contents {
            let copy = try own.createFile(name)
            try copy.write(bytes)
            guard fchmod(copy.descriptor, 0o400) == 0 else { throw FileError("protect", copy.path) }
            guard let user = start.user else { continue }
            guard fchown(copy.descriptor, user.uid, user.gid) == 0 else { throw FileError("give", copy.path) }
        }
        guard let user = start.user else { return }
        guard fchown(own.descriptor, user.uid, user.gid) == 0 else { throw FileError("give", own.path) }
    }

    func remove() {
        let (directory, name) = Directory.split(path)
        if let directory { try? Directory.open(directory).removeTree(name) }
    }
}
