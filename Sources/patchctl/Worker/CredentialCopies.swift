import Glibc
import PatchFiles

/// What a worker finds in `CREDENTIALS_DIRECTORY`: copies that only its user reads, for as long as the value lives.
struct CredentialCopies: ~Copyable {
    private let scratch: Scratch

    /// - Parameters:
    ///   - files: by the names that the worker finds them under.
    ///   - user: the worker's; nil: this process's own.
    init(_ files: [(name: String, path: String)], for user: UserIdentity?) throws {
        let scratch = try Scratch()
        for (name, path) in files {
            let copy = try scratch.directory.createFile(name)
            try copy.write(try File.open(path, O_RDONLY | O_NONBLOCK).read(limit: 64 << 10))
            guard fchmod(copy.descriptor, 0o400) == 0 else { throw FileError("protect", copy.path) }
            guard let user else { continue }
            guard fchown(copy.descriptor, user.uid, user.gid) == 0 else { throw FileError("give", copy.path) }
        }
        if let user, fchown(scratch.directory.descriptor, user.uid, user.gid) != 0 {
            throw FileError("give", scratch.path)
        }
        self.scratch = scratch
    }

    /// For the worker's environment.
    var variable: String { "CREDENTIALS_DIRECTORY=\(scratch.path)" }
}
