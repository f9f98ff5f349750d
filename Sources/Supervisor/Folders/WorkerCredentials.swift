import Glibc
import PatchFiles
import PatchStore

/// Copies of what a worker finds in `CREDENTIALS_DIRECTORY`, in the runtime directory. A kill leaves them there until the
/// next worker of the folder.
public struct WorkerCredentials {
    /// The directory that they lie in.
    public let path: String

    /// - Parameters:
    ///   - directory: of all workers' copies; made where it is not there.
    ///   - user: who reads them; nil: this process's own user. systemd reads as root, and gives the worker its own copy.
    public init(in directory: String, of start: WorkerStart, for user: UserIdentity?) throws(FileError) {
        path = "\(directory)/\(start.name)"
        if mkdir(directory, 0o711) != 0, errno != EEXIST { throw FileError("create", directory) }
        let all = try Directory.open(directory)
        try all.removeTree(start.name)
        guard mkdirat(all.descriptor, start.name, 0o700) == 0 else { throw FileError("create", path) }
        try CredentialFile.write(start.credentialFiles, to: all.directory(start.name), for: user)
    }

    /// Removes them.
    public func remove() {
        let (directory, name) = Directory.split(path)
        if let directory { try? Directory.open(directory).removeTree(name) }
    }
}
