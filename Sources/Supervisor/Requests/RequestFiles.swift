import Glibc
import Logging
import PatchConfig
import PatchFiles
import PatchJSON
import PatchModel

/// The files of requests and their answers.
struct RequestFiles: Sendable {
    let context: DaemonContext

    /// Bytes of a name to which the names of temporary files can still be added.
    static let longestName = 200
    private static let largest: Int64 = 65536

    /// Names that are requests.
    static func isRequest(_ name: FileName) -> Bool { name.hasSuffix(".json") && !name.hasPrefix(".") }

    /// Tells files of one name apart.
    static func id(_ status: FileStatus) -> String { "\(status.inode) \(status.changed)" }

    /// For people.
    func shown(_ name: FileName) -> String { String(name.description.prefix(Self.longestName)) }

    /// The audit record of one that was not understood yet.
    func record(of entry: SpoolScan.Entry) -> AuditRecord {
        AuditRecord(
            uid: entry.status.uid, user: UserDatabase.name(of: entry.status.uid) ?? "",
            request: entry.name.description, id: Self.id(entry.status))
    }

    /// Who asked, for people.
    func user(_ record: AuditRecord) -> String { record.user.isEmpty ? "uid \(record.uid)" : record.user }

    func notPermitted(_ record: AuditRecord, _ what: String) -> Answer {
        let (user, group) = (user(record), context.configuration.daemon.approvers)
        return .refused("notPermitted", "\(user) \(what); members of group \(group) may: \"adduser \(user) \(group)\"")
    }

    /// Why it is none that is read; nil where it is.
    func problem(of entry: SpoolScan.Entry) -> Answer? {
        guard entry.name.text != nil else {
            return .invalid("a request's name is UTF-8; there is no answer to this one")
        }
        guard entry.name.bytes.count <= Self.longestName else {
            return .invalid("a request's name has at most \(Self.longestName) bytes; there is no answer to this one")
        }
        let status = entry.status
        guard status.kind == .file, status.links == 1, status.mode & 0o022 == 0 else {
            return .invalid("a request is a plain file with one link that nobody else can write")
        }
        guard status.size <= Self.largest else { return .invalid("a request has at most 64 KiB") }
        return nil
    }

    /// What one of somebody's who may command says; nil while it is being written, or kept from being read.
    func read(_ name: String, _ status: FileStatus, in requests: borrowing Directory) throws -> [UInt8]? {
        let file: File
        do throws(FileError) { file = try requests.file(name) } catch {
            // It is gone, another is in its place, or its owner has a lease on it: his own affair.
            if [ENOENT, ELOOP, ENXIO, EAGAIN].contains(error.number) { return nil }
            throw error
        }
        // Written in place and not closed yet: its end wakes the daemon again. Or written since it was found.
        guard file.nobodyWrites() != false, try file.status() == status else { return nil }
        return try file.read(limit: Int(Self.largest))
    }

    /// Writes an answer for who asked. Who waits for it finds it by its name alone, so another's is not taken for it; but one
    /// of somebody's who may not command gives way to one of somebody's who may.
    func give(
        _ answer: Answer, to entry: SpoolScan.Entry, isDurable: Bool, _ authorization: Authorization
    ) throws {
        guard let name = entry.name.text, name.utf8.count <= Self.longestName else { return }
        let answers = try Directory.open(context.spool.answers)
        let uid = entry.status.uid
        if let before = try answers.status(name), before.uid != uid, geteuid() == 0 {
            guard authorization.commands(of: before.uid) == .none, authorization.commands(of: uid) != .none else {
                return context.logger.log(
                    .answerNotGiven,
                    "request \(name) of uid \(uid) gets no answer: one of that name is uid \(before.uid)'s")
            }
        }
        let bytes = try JSONText.page(answer)
        guard geteuid() == 0 else {
            return try answers.replaceFile(name, with: bytes, mode: 0o640, isDurable: isDurable)
        }
        do throws(FileError) {
            try answers.replaceFile(
                name, with: bytes, mode: 0o640, owner: (uid, entry.status.gid), isDurable: isDurable)
        } catch {
            // Not every user of the host's need exist where the daemon runs.
            guard [EPERM, EINVAL].contains(error.number) else { throw error }
            try answers.replaceFile(name, with: bytes, mode: 0o640, isDurable: isDurable)
            context.logger.log(
                .answerNotGiven, "cannot give the answer to request \(name) to uid \(uid), who asked: \(error.reason)")
        }
    }

    /// What is no file is moved aside, where nobody looks for it: a directory holds what is somebody else's.
    func remove(_ name: FileName, from requests: borrowing Directory) throws(FileError) {
        let aside = ".refused-\(UInt64.random(in: .min ... .max))"
        guard let text = name.text else {
            do throws(FileError) { try requests.rename(name, to: requests, aside) } catch {
                if error.number != ENOENT { throw error }
            }
            return
        }
        do throws(FileError) {
            try requests.remove(text)
        } catch {
            guard error.number == EISDIR || error.number == EPERM else { throw error }
            try requests.renameNew(text, to: requests, aside)
        }
    }
}
