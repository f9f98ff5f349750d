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
    private let clocks: any Clocks
    /// Of the files that do not count, what was said.
    private let ignored = Mutex(RepeatCount())
    /// Looks and removals exclude each other: one that is moved aside to be removed must not be missed.
    private let looking = Mutex(())

    /// A process and its file may be dated by clocks that differ by so much; in nanoseconds.
    private static let slack: Int64 = 2_000_000_000

    init(path: String, logger: Logger, clocks: any Clocks = SystemClocks()) {
        self.path = path
        self.clocks = clocks
        self.logger = logger
    }

    /// The holds that keep patchd away from some folders of an endpoint. Those that are over are removed, and what somebody has put there who has no say in it is moved aside: somebody who has may need the name.
    ///
    /// - Parameter mayHold: whether a user has a say in a target on this endpoint; nil where that cannot be known.
    /// - Throws: when the directory cannot be read: that does not mean that nobody holds anything.
    func standing(
        on endpoint: String, _ folders: Set<String>, mayHold: (Hold.Target, UInt32) -> Bool?
    ) throws -> [Standing] {
        try looking.withLock { _ in
            let directory = try Directory.open(path)
            var standing: [Standing] = []
            // Looked up by their names: anybody may fill the directory, and must not so hold up the daemon.
            let targets =
                [.all, .endpoint(endpoint)]
                + folders.sorted().map { Hold.Target.folder(endpoint: endpoint, folder: $0) }
            for target in targets {
                let name = target.fileName
                guard let status = try directory.status(name) else { continue }
                // Whose it is, before it is opened: a stranger may have a lease on it.
                let isEntitled = mayHold(target, status.uid)
                // A file with a second name may be another's, or one that is just being made.
                guard isEntitled == true, status.kind == .file, status.links == 1 else {
                    if isEntitled == false { try moveAside(name, status, in: directory) }
                    log(target, ignored: status, isEntitled)
                    continue
                }
                let hold = Hold(target, text: Self.text(name, in: directory))
                if let end = end(of: hold, status) {
                    try remove(name, status, hold, end, in: directory)
                    continue
                }
                let since = Timestamp(nanoseconds: status.modified)
                standing.append(Standing(hold: hold, owner: UserDatabase.text(of: status.uid), since: since))
            }
            return standing
        }
    }

    /// What a hold says; empty for what cannot be read, or not now, which holds all the same.
    private static func text(_ name: String, in directory: borrowing Directory) -> String {
        guard let file = try? directory.file(name), let bytes = try? file.read(limit: 4096) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func log(_ target: Hold.Target, ignored status: FileStatus, _ isEntitled: Bool?) {
        let name = target.fileName
        let isMoved = isEntitled == false
        let key = "\(name) \(status.uid) \(isMoved ? "" : "\(status.inode) \(status.changed)")"
        guard let count = ignored.withLock({ $0.note(key, at: clocks.seconds) }) else { return }
        let user = UserDatabase.text(of: status.uid)
        let why =
            switch isEntitled {
            case _ where status.kind != .file || status.links != 1: "it is no plain file with one name"
            case nil: "the owner of \(target) cannot be looked up"
            default: "\(user) is neither root nor an approver nor the owner of \(target)"
            }
        logger.log(
            .holdIgnored,
            "holds/\(name) does not count: \(why)\(isMoved ? "; it is moved aside" : "")"
                + (count > 1 ? " (\(count) times since this was last said)" : ""),
            fields(target, code: "notPermitted"))
    }

    /// Why a hold is over; nil while it stands.
    private func end(of hold: Hold, _ status: FileStatus) -> String? {
        if let until = hold.until, until <= clocks.now { return "it ended at \(until)" }
        guard let pid = hold.pid else { return nil }
        guard let started = RunningProcess(pid).startTime else { return "process \(pid) has ended" }
        return started > status.modified + Self.slack ? "process \(pid) is younger than the hold" : nil
    }

    /// Removes one that is over.
    private func remove(
        _ name: String, _ status: FileStatus, _ hold: Hold, _ reason: String, in directory: borrowing Directory
    ) throws(FileError) {
        let aside = ".\(name).\(UInt64.random(in: .min ... .max)).tmp"
        guard try take(name, status, to: aside, in: directory) else { return }
        try directory.remove(aside)
        logger.log(.holdEnded, "the hold on \(hold.target) is over: \(reason)", fields(hold.target))
    }

    /// Makes a name available.
    private func moveAside(_ name: String, _ status: FileStatus, in directory: borrowing Directory) throws(FileError) {
        let aside = ".refused-\(name).\(UInt64.random(in: .min ... .max))"
        guard try take(name, status, to: aside, in: directory), status.kind != .directory else { return }
        // One of each user's and name: however often he puts one there, no more are left.
        try? directory.rename(aside, to: directory, ".refused-\(name).\(status.uid)")
    }

    /// Renames a file, and no other that came under its name since.
    ///
    /// - Returns: whether it was still that one.
    private func take(
        _ name: String, _ status: FileStatus, to aside: String, in directory: borrowing Directory
    ) throws(FileError) -> Bool {
        do throws(FileError) { try directory.rename(name, to: directory, aside) } catch {
            if error.number == ENOENT { return false }
            throw error
        }
        if try directory.status(aside)?.inode == status.inode { return true }
        // Its name may be taken once more by now.
        for _ in 0..<16 {
            do throws(FileError) {
                try directory.renameNew(aside, to: directory, name)
                return false
            } catch {
                guard error.number == EEXIST else { throw error }
                try directory.rename(name, to: directory, ".refused-\(name).\(UInt64.random(in: .min ... .max))")
            }
        }
        throw FileError("put back", path + "/" + name, number: EEXIST)
    }

    private func fields(_ target: Hold.Target, code: String = "") -> EventFields {
        switch target {
        case .all: EventFields(code: code)
        case .endpoint(let endpoint): EventFields(endpoint: endpoint, code: code)
        case .folder(let endpoint, let folder): EventFields(endpoint: endpoint, folder: folder, code: code)
        }
    }

    /// Seconds until it has to be looked again whether a hold still stands; nil: its removal is seen.
    static func again(_ hold: Hold, at now: Timestamp) -> Double? {
        let end = hold.until.map { max(0.1, $0.seconds(since: now)) }
        return hold.pid == nil ? end : min(end ?? 1, 1)
    }
}

extension DaemonContext {
    /// The first hold that keeps patchd away from some folders of an endpoint; nil for none.
    ///
    /// - Throws: when nobody can tell.
    func hold(on endpoint: Endpoint, _ folders: Set<String>) throws -> Holds.Standing? {
        try holds(on: endpoint, folders).first
    }

    /// All of them; the most general first.
    func holds(on endpoint: Endpoint, _ folders: Set<String>) throws -> [Holds.Standing] {
        try holds.standing(on: endpoint.name, folders) { target, uid in isEntitled(to: target, uid, on: endpoint) }
    }
}
