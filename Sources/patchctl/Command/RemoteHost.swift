import Glibc
import PatchFiles

/// `-H [USER@]HOST` before the subcommand: the same command on another host, over ssh.
struct RemoteHost {
    let host: String
    /// What stands behind the host.
    let arguments: [String]

    /// Nil where the command is for this host.
    ///
    /// - Throws: ``Failure`` with wrong usage.
    init?(_ arguments: [String]) throws(Failure) {
        guard let first = arguments.first else { return nil }
        var rest = arguments.dropFirst()
        if first == "-H" || first == "--host" {
            guard let name = rest.popFirst() else { throw Failure(.usage, "\(first) needs a host, as [USER@]HOST") }
            host = name
        } else if first.hasPrefix("--host=") {
            host = String(first.dropFirst(7))
        } else if first.hasPrefix("-H"), !first.hasPrefix("--") {
            host = String(first.dropFirst(2))
        } else {
            return nil
        }
        guard !host.isEmpty, !host.hasPrefix("-") else {
            throw Failure(.usage, "\"\(host)\" is no host; name it as [USER@]HOST")
        }
        self.arguments = Array(rest)
    }

    /// Becomes ssh, whose exit code is the other patchctl's (255: ssh's own).
    ///
    /// - Parameter file: the archive that the command names, which is sent along; nil for none.
    func run(sending file: String?) throws -> Never {
        var remote = arguments
        if let file {
            let archive = try UpdateFile.open(file)
            guard dup2(archive.descriptor, STDIN_FILENO) >= 0 else {
                throw Failure(FileError("hand to ssh", file).description)
            }
            if let index = remote.lastIndex(of: file) { remote[index] = "-" }
            remote += ["--sent-as", Directory.split(file).name]
            if let signature = try UpdateFile.signature(of: file) {
                // One word: it begins with a hyphen.
                remote.append("--sent-signature=" + String(decoding: signature, as: UTF8.self))
            }
        }
        // A terminal there as well, for what is drawn, and so that Ctrl-C reaches it.
        let isInteractive = file == nil && isatty(STDIN_FILENO) == 1 && Screen.isTerminal
        let command = (["patchctl"] + remote).map(Self.quoted).joined(separator: " ")
        let words = ["ssh"] + (isInteractive ? ["-t"] : []) + ["--", host, command]
        var pointers = words.map { strdup($0) } + [nil]
        execvp("ssh", &pointers)
        throw Failure(FileError("run", "ssh").description)
    }

    /// For the shell there.
    private static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_./=:@,+".utf8.contains(byte)
            }
        }
        if plain, !word.isEmpty { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
