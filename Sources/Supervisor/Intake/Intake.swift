import Glibc
import Logging
import PatchConfig
import PatchFiles
import PatchJSON
import PatchModel
import PatchPlan
import PatchStore

/// Takes what is dropped, has it checked, and makes its jobs. What one user drops is taken in its order, one after the other;
/// different users' drops side by side, so that nobody waits for what another has dropped.
struct Intake: Sendable {
    let context: DaemonContext
    let jobs: JobStore
    let arrivals: ArrivalOrder

    /// What one user has dropped.
    struct UserQueue: Sendable {
        let owner: UInt32
        /// What was taken, and could not be brought to its end.
        var claims: [IntakeClaim] = []
        var files: [DroppedFile] = []

        /// In the order in which they came.
        var arrivals: [ArrivalOrder.Arrival] { claims.map(\.arrival) + files.map(\.arrival) }
    }

    /// Removes what a kill left half copied. Only before anything is taken: what has no claim then lies where it was dropped.
    func removeLeftovers() throws {
        let intake = try context.state.directory("intake")
        for id in try intake.names() {
            if try intake.status("\(id)/claim.json") == nil {
                try intake.removeTree(id)
            } else if try claim(id, in: intake) == nil {
                context.failures.note()
                context.logger.log(
                    .cannotGoOn,
                    "\"\(intake.path)/\(id)/claim.json\", which says what was taken, is damaged; the archive beside it is kept: "
                        + "drop it again, then move the directory away")
            }
        }
    }

    /// Nil where there is none, or none that can be read.
    private func claim(_ id: String, in intake: borrowing Directory) throws(FileError) -> IntakeClaim? {
        guard let bytes = try intake.readFile("\(id)/claim.json") else { return nil }
        return try? JSONText.read(IntakeClaim.self, bytes)
    }

    /// What there is to take, by user; first whose has been there for longest. Nil while `incoming/` has not been seen to its
    /// end.
    ///
    /// - Parameter renamed: the names that came by a rename.
    func queues(renamed: Set<String>) throws -> [UserQueue]? {
        guard let found = try context.spool.dropScan.advance() else { return nil }
        var queues: [UInt32: UserQueue] = [:]
        let intake = try context.state.directory("intake")
        for id in try intake.names() {
            guard let claim = try claim(id, in: intake) else { continue }
            let owner = claim.owner ?? 0
            queues[owner, default: UserQueue(owner: owner)].claims.append(claim)
        }
        for (owner, entries) in found {
            queues[owner, default: UserQueue(owner: owner)].files = entries.map { entry in
                let isRenamed = entry.name.text.map(renamed.contains) ?? false
                return DroppedFile(fileName: entry.name, status: entry.status, cameByRename: isRenamed)
            }
        }
        let sorted = queues.values.map { queue in
            var queue = queue
            queue.claims.sort { $0.arrival < $1.arrival }
            queue.files.sort { $0.arrival < $1.arrival }
            return queue
        }
        return sorted.sorted { one, other in
            (one.arrivals.min()?.changed ?? 0, one.owner) < (other.arrivals.min()?.changed ?? 0, other.owner)
        }
    }

    /// What became of a file that was looked at.
    private enum Step {
        case taken(IntakeClaim)
        case refused
        /// It is not complete, or was changed meanwhile; look again after so many seconds.
        case left(Double)
    }

    /// Takes everything of a user's that is complete. What cannot be brought to its end is tried again later, and keeps nothing
    /// that came after it from being taken.
    ///
    /// - Returns: whether anything was taken, and after how many seconds to look again at what is not complete.
    /// - Throws: the first problem, when all others were looked at.
    func work(_ queue: UserQueue) async throws -> (taken: Bool, again: Double?) {
        defer { arrivals.end(queue.arrivals) }
        var problem: (any Error)?
        for claim in queue.claims {
            do {
                // Else brought to its end by the queue before this one, after this one's list was made.
                if try context.state.directory("intake").status(claim.id) != nil {
                    try remove(claim)
                    try await process(claim)
                }
            } catch {
                problem = problem ?? error
            }
            arrivals.end([claim.arrival])
        }
        var taken = !queue.claims.isEmpty
        var again: Double?
        for file in queue.files {
            do {
                switch try look(file, of: queue.owner) {
                case .left(let seconds): again = min(again ?? seconds, seconds)
                case .refused: taken = true
                case .taken(let claim):
                    taken = true
                    try await process(claim)
                }
            } catch {
                problem = problem ?? error
            }
            arrivals.end([file.arrival])
        }
        if let problem { throw problem }
        return (taken, again)
    }

    /// Looks at one file, and takes or refuses it. What its owner does to it meanwhile is his own affair.
    private func look(_ found: DroppedFile, of owner: UInt32) throws -> Step {
        let file: DroppedFile
        do throws(FileError) {
            let incoming = try Directory.open(context.spool.incoming)
            guard let status = try incoming.status(found.fileName), status.uid == owner else { return .left(1) }
            file = DroppedFile(fileName: found.fileName, status: status, cameByRename: found.cameByRename)
            if let refusal = file.refusal { return try reject(file, refusal, from: incoming) }
            let source = try incoming.file(file.name)
            guard try source.status() == file.status else { return .left(1) }
            let settle = context.configuration.daemon.settle
            if case .growing(let seconds) = try file.readiness(of: source, settle: settle, once: context.once) {
                return .left(seconds)
            }
            if let seconds = try waitsForSignature(of: file, in: incoming) { return .left(seconds) }
            let limits = context.configuration.daemon.limits
            guard UInt64(file.status.size) <= limits.archive else {
                let reason =
                    "the archive alone has \(file.status.size) bytes, more than limits.unpacked allows it to hold"
                return try reject(file, Refusal(.limitExceeded, reason), from: incoming)
            }
        } catch {
            // It was removed, or another was put in its place, or its owner has a lease on it.
            if [ENOENT, ELOOP, ENXIO, EAGAIN].contains(error.number) { return .left(1) }
            throw error
        }
        return try take(file).map(Step.taken) ?? .left(1)
    }

    private func reject(
        _ file: DroppedFile, _ refusal: Refusal, from incoming: borrowing Directory
    ) throws(FileError) -> Step {
        let limit = context.configuration.daemon.limits.rejected
        try context.spool.rejections.add(file.rejectedName, sha256: "", refusal, at: context.clocks.now, limit: limit) {
            (rejected, free) throws(FileError) in
            try move(file, from: incoming, to: rejected, free)
        }
        log(refusal, file.rejectedName)
        return .refused
    }

    /// Moves a drop with what lies beside it as its own. That goes first: left behind, it would be taken for what belongs to the
    /// next drop of that name.
    private func move(
        _ file: DroppedFile, from incoming: borrowing Directory, to rejected: borrowing Directory, _ free: String
    ) throws(FileError) {
        var moved: [String] = []
        for suffix in [".json", SignatureFile.suffix] {
            let name = FileName(file.fileName.bytes + Array(suffix.utf8))
            guard name.bytes.count <= Int(NAME_MAX), let found = try incoming.status(name),
                belongs(name, of: found.uid, to: file.status.uid)
            else { continue }
            do throws(FileError) { try incoming.rename(name, to: rejected, free + suffix) } catch {
                // Its owner was quicker.
                if error.number == ENOENT { continue }
                throw error
            }
            moved.append(suffix)
        }
        do throws(FileError) { try incoming.rename(file.fileName, to: rejected, free) } catch {
            // Withdrawn at this instant; what is left of it is its owner's affair again.
            for suffix in moved where file.fileName.text != nil {
                try? rejected.renameNew(free + suffix, to: incoming, file.name + suffix)
            }
            throw error
        }
    }

    /// Whether what lies beside a drop goes where the drop goes. A signature may be an approver's.
    func belongs(_ name: FileName, of uid: UInt32, to owner: UInt32) -> Bool {
        uid == owner || name.hasSuffix(SignatureFile.suffix) && maySign(for: owner, uid)
    }

    func log(_ refusal: Refusal, _ file: String) {
        context.logger.log(
            .archiveRefused, "\(file) is refused (\(refusal.code)): \(refusal)", EventFields(code: "\(refusal.code)"))
        context.failures.note()
        context.metrics.noteRejected()
        var notice = Notice(.refused)
        notice.update = file
        notice.code = refusal.code.rawValue
        notice.message = "\(refusal)"
        context.notices.add(notice)
    }
}
