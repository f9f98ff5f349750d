import Glibc
import Logging
import PatchConfig
import PatchFiles
import PatchModel
import Synchronization

/// The spool's `holds/`: who keeps patchd away from what (contract §3). Anybody may put a file there, so a hold counts only
/// when its owner has a say in what it names.
final class Holds: Sendable {
    /// A hold that counts.
    struct Standing: Hashable, Sendable {
        var hold: Hold
        /// Whose file it is.
        var owner: String
        /// When it was written.
        var since: Timestamp

        /// For `waitingFor`: what, whose, since when, why, and the way out.
        var description: String {
            let reason = hold.reason.isEmpty ? "" : " (\(hold.reason))"
            let end =
                hold.until.map { "ends at \($0)" } ?? hold.pid.map { "ends with process \($0)" }
                ?? "lift it with: patchctl unhold \(hold.target)"
            return "the hold on \(hold.target) by \(owner) since \(since)\(reason); \(end)"
        }
    }

    private let path: String
    private let logger: Logger
    /// Told once: the files that do not count, by name.
    private let logged = Mutex<[String: FileStatus]>([:])
    /// Looks and removals exclude each other: one that is moved aside to be removed must not be missed.
    private let looking = Mutex(())

    /// A process and its file may be dated by clocks that differ by so much; in nanoseconds.
    private static let slack: Int64 = 2_000_000_000

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// The first hold that keeps patchd away from some folders of an endpoint; nil for none. Those that are over are removed.
    ///
    /// - Parameter mayHold: whether a user has a say in a target on this endpoint.
    /// - Throws: when the directory cannot be read: that does not mean that nobody holds anything.
    func first(
        on endpoint: String, _ folders: Set<String>, mayHold: (Hold.Target, UInt32) -> Bool
    ) throws -> Standing? {
        try looking.withLock { _ in
            let directory = try Directory.open(path)
            var first: Standing?
            // Looked up by their names: anybody may fill the directory, and must not so hold up the daemon.
            let targets =
                [.all, .endpoint(endpoint)]
                + folders.sorted().map { Hold.Target.folder(endpoint: endpoint, folder: $0) }
            for target in targets {
                let name = target.fileName
                guard let status = try directory.status(name) else { continue }
                let hold = Hold(target, text: Self.text(name, status, in: directory))
                guard counts(hold, status, mayHold) else { continue }
                if let end = Self.end(of: hold, status) {
                    try remove(name, status, hold, end, in: directory)
                    continue
                }
                let since = Timestamp(nanoseconds: status.modified)
                first = first ?? Standing(hold: hold, owner: UserDatabase.text(of: status.uid), since: since)
            }
            return first
        }
    }

    /// What a hold says; empty for what cannot be read, which holds all the same.
    private static func text(_ name: String, _ status: FileStatus, in directory: borrowing Directory) -> String {
        guard status.kind == .file, let file = try? directory.file(name, O_RDONLY | O_NONBLOCK),
            let bytes = try? file.read(limit: 4096)
        else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether its owner has a say in what it names. A file with a second name may be another's, and a lock that patchd
    /// wrote into a folder may have been moved here by who owns that folder.
    private func counts(_ hold: Hold, _ status: FileStatus, _ mayHold: (Hold.Target, UInt32) -> Bool) -> Bool {
        let name = hold.target.fileName
        if status.kind == .file, status.links == 1, mayHold(hold.target, status.uid) {
            logged.withLock { $0[name] = nil }
            return true
        }
        let isNew = logged.withLock { logged in
            defer { logged[name] = status }
            return logged[name] != status
        }
        if isNew {
            let why =
                status.kind == .file && status.links == 1
                ? "\(UserDatabase.text(of: status.uid)) is neither root nor an approver nor the owner of \(hold.target)"
                : "it is no plain file with one name"
            logger.log(
                .holdIgnored, "holds/\(name) does not count: \(why)",
                fields(hold.target, code: "notPermitted"))
        }
        return false
    }

    /// Why a hold is over; nil while it stands.
    private static func end(of hold: Hold, _ status: FileStatus) -> String? {
        if let until = hold.until, until <= .now { return "it ended at \(until)" }
        guard let pid = hold.pid else { return nil }
        guard let started = RunningProcess(pid).startTime else { return "process \(pid) has ended" }
        return started > status.modified + slack ? "process \(pid) is younger than the hold" : nil
    }

    /// Removes one that is over, and no other that came under its name since.
    private func remove(
        _ name: String, _ status: FileStatus, _ hold: Hold, _ reason: String, in directory: borrowing Directory
    ) throws(FileError) {
        let aside = ".\(name).\(UInt64.random(in: .min ... .max)).tmp"
        try directory.rename(name, to: directory, aside)
        guard try directory.status(aside)?.inode == status.inode else {
            return try directory.renameNew(aside, to: directory, name)
        }
        try directory.remove(aside)
        logger.log(.holdEnded, "the hold on \(hold.target) is over: \(reason)", fields(hold.target))
    }

    private func fields(_ target: Hold.Target, code: String = "") -> EventFields {
        switch target {
        case .all: EventFields(code: code)
        case .endpoint(let endpoint): EventFields(endpoint: endpoint, code: code)
        case .folder(let endpoint, let folder): EventFields(endpoint: endpoint, folder: folder, code: code)
        }
    }

    /// Seconds until it has to be looked again whether a hold still stands; nil: its removal is seen.
    static func again(_ hold: Hold) -> Double? {
        let end = hold.until.map { max(0.1, $0.seconds(since: .now)) }
        return hold.pid == nil ? end : min(end ?? 1, 1)
    }
}

extension DaemonContext {
    /// The first hold that keeps patchd away from some folders of an endpoint; nil for none.
    ///
    /// - Throws: when nobody can tell.
    func hold(on endpoint: Endpoint, _ folders: Set<String>) throws -> Holds.Standing? {
        try holds.first(on: endpoint.name, folders) { target, uid in mayHold(target, uid, on: endpoint) }
    }

    /// Whether a user may keep patchd away from a target: root and the approvers from all, a folder's owner from that folder,
    /// the root folder's owner also from its endpoint.
    func mayHold(_ target: Hold.Target, _ uid: UInt32, on endpoint: Endpoint) -> Bool {
        if mayCommand(uid) { return true }
        let folder: Folder?
        switch target {
        case .all: return false
        case .endpoint: folder = endpoint.folders.first { $0.parent == nil }
        case .folder(_, let name): folder = endpoint.folders.first { $0.name == name }
        }
        // Where it cannot be logged who owns it, nobody does.
        guard let folder, let place = try? place(of: folder.name, in: endpoint) else { return false }
        return uid == place.user?.uid ?? geteuid()
    }
}
