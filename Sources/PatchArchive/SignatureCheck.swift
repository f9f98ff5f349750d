import Glibc
public import PatchFiles
public import PatchModel

/// Asks `ssh-keygen` who signed an archive (contract §4). Nothing here reads a signature or a key itself.
///
/// The signature is a stranger's, so this runs where an archive is read: without any rights.
public enum SignatureCheck {
    /// What a signature has to be made for.
    static let namespace = "patchd"
    /// Names of one key that are tried.
    private static let most = 32
    /// Bytes that are kept of what `ssh-keygen` says.
    private static let longest = 64 << 10

    /// Checks the signature of an archive.
    ///
    /// - Parameters:
    ///   - archive: open for reading; its position is moved.
    ///   - directory: has the files of ``SignatureFile``; without a time, keys have to be valid now.
    /// - Throws: when this host fails.
    public static func check(
        archive: borrowing File, in directory: borrowing Directory
    ) throws(FileError) -> SignatureVerdict {
        guard let program = ProgramPath.find("ssh-keygen") else {
            return SignatureVerdict(
                problem: "signatures are checked by ssh-keygen, which is not installed: apt install openssh-client")
        }
        guard UserIdentity(uid: geteuid()) != nil else {
            return SignatureVerdict(
                problem: "the user \(geteuid()) is not in the user database, and ssh-keygen does not run without a name"
            )
        }
        let keygen = SSHKeygen(program: program, seconds: patience(archive: try archive.status().size))
        let files = [
            "-f", SignatureFile.allowedSigners, "-s", SignatureFile.ofArchive, "-O",
            "verify-time=\(try time(in: directory))",
        ]
        let found = try keygen.run(["-Y", "find-principals"] + files, in: directory, input: File.open("/dev/null"))
        guard found.exit == .code(0) else {
            return SignatureVerdict(
                Refusal(.signatureInvalid, "it is signed by nobody whom allowed_signers allows: \(found.reason ?? "")"))
        }
        let revoked = try directory.status(SignatureFile.revokedKeys) == nil ? [] : ["-r", SignatureFile.revokedKeys]
        var reasons: [String] = []
        for principal in found.principals.prefix(most) {
            guard lseek(archive.descriptor, 0, SEEK_SET) == 0 else { throw FileError("read", archive.path) }
            let verified = try keygen.run(
                ["-Y", "verify", "-n", namespace, "-I", principal] + files + revoked, in: directory, input: archive)
            if verified.exit == .code(0) { return SignatureVerdict(signer: principal) }
            // It is silent about a key that is revoked.
            let reason = verified.reason ?? (revoked.isEmpty ? nil : "see whether its key is in revoked_keys")
            reasons.append(reason ?? "ssh-keygen ended with \(verified.exit)")
        }
        let reason = reasons.first ?? "no name of the key in allowed_signers can be shown"
        return SignatureVerdict(Refusal(.signatureInvalid, "the signature does not count: \(reason)"))
    }

    /// As `ssh-keygen` reads it.
    private static func time(in directory: borrowing Directory) throws(FileError) -> String {
        let bytes = try directory.readFile(SignatureFile.time, limit: 100) ?? []
        let taken = Timestamp(String(decoding: bytes, as: UTF8.self)) ?? .now
        // 2026-11-21T10:15:00.123Z
        return String(taken.description.filter(\.isWholeNumber).prefix(14)) + "Z"
    }

    /// Seconds that `ssh-keygen` is given: it reads the archive once.
    private static func patience(archive size: Int64) -> Double { 60 + Double(size) / Double(4 << 20) }

    /// `ssh-keygen`, with an end.
    private struct SSHKeygen {
        let program: String
        let seconds: Double

        func run(
            _ arguments: [String], in directory: borrowing Directory, input: borrowing File
        ) throws(FileError) -> Answer {
            let output = try File.inMemory([])
            let words = try File.inMemory([])
            let exit = try ChildProcess.start(
                program, ["ssh-keygen"] + arguments, environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"], in: directory,
                input: input.descriptor, output: output.descriptor, error: words.descriptor
            ).wait(seconds: seconds)
            return Answer(
                exit: exit, output: String(decoding: try output.read(limit: longest), as: UTF8.self),
                words: String(decoding: try words.read(limit: longest), as: UTF8.self))
        }
    }

    /// What `ssh-keygen` said.
    private struct Answer {
        let exit: ChildProcess.Exit
        let output: String
        let words: String

        /// The names of the key that signed. One that is not shown as itself could pass for another.
        var principals: [String] {
            output.split(whereSeparator: \.isNewline).map(String.init).filter { name in
                name.utf8.count <= 256 && name.unicodeScalars.allSatisfy(Printable.isShown)
            }
        }

        /// Why it is not satisfied, in its own words; nil where it said nothing.
        var reason: String? {
            if case .signal(let number) = exit { return "ssh-keygen was ended by signal \(number)" }
            let said = words.split(whereSeparator: \.isNewline).prefix(4).map { Printable.cell(String($0.prefix(300))) }
            return said.isEmpty ? nil : "ssh-keygen: \(said.joined(separator: "; "))"
        }
    }
}
