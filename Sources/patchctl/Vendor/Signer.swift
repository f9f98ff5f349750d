import Glibc
import PatchFiles
import PatchModel

/// Signs archives with `ssh-keygen` and one key.
struct Signer {
    let key: String

    /// The signature of a file. `ssh-keygen` is this user's own here: it may ask for a passphrase, or for a finger on the key.
    func signature(of path: String) throws -> [UInt8] {
        guard let program = ProgramPath.find("ssh-keygen") else {
            throw Failure("ssh-keygen, which signs, is not installed: apt install openssh-client")
        }
        guard let real = realpath(path, nil) else { throw Failure(FileError("open", path).description) }
        defer { free(real) }
        // It writes its signature beside the name that it is given, and asks before it replaces one.
        let scratch = try Scratch()
        let name = "\(scratch.path)/archive"
        guard symlink(real, name) == 0 else { throw Failure(FileError("create", name).description) }
        try run([program, "-q", "-Y", "sign", "-n", "patchd", "-f", key, name], signing: path)
        guard let bytes = try scratch.directory.readFile("archive\(SignatureFile.suffix)", limit: SignatureFile.limit)
        else { throw Failure("ssh-keygen did not sign \"\(path)\", and said nothing of it") }
        return bytes
    }

    /// In this process's session: `ssh-keygen` asks on the terminal.
    private func run(_ arguments: [String], signing path: String) throws {
        let words = try File.inMemory([])
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // What it says to a person who sits there must not wait.
        let isSeen = isatty(2) == 1
        if !isSeen { posix_spawn_file_actions_adddup2(&actions, words.descriptor, 2) }
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        let number = posix_spawn(&pid, arguments[0], &actions, nil, &pointers, environ)
        guard number == 0 else { throw Failure(FileError("run", arguments[0], number: number).description) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        if status == 0 { return }
        let said = String(decoding: try words.read(limit: 4096), as: UTF8.self).split(separator: "\n").joined(
            separator: "; ")
        throw Failure(
            .refused,
            "ssh-keygen did not sign \"\(path)\"" + (isSeen ? "; it says why above" : said.isEmpty ? "" : ": \(said)"))
    }
}
