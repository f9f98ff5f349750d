import Glibc
import PatchFiles
import PatchLedger
import PatchModel
import PatchStore
import Synchronization

/// What the ledgers of jobs say. Each is read once; a later look reads only what was recorded since.
final class FolderLedgers: Sendable {
    private struct Key: Hashable {
        var job: Int
        var folder: String
    }

    /// One ledger that is followed. Two that look at once wait for each other, and for nobody else.
    private final class Followed: Sendable {
        let follower = Mutex(LedgerFollower(keepsSlots: false))
    }

    private let state: StateDirectory
    private let followed = Mutex<[Key: Followed]>([:])

    init(_ state: StateDirectory) { self.state = state }

    /// Where a folder stands in a job. Its slots are not in it: see ``whole(_:_:)``.
    func summary(_ job: Int, _ folder: String) throws -> LedgerSummary {
        guard let file = try open(job, folder) else { return LedgerSummary() }
        if try OlderLedger.isOne(file) { return LedgerSummary(try OlderLedger(file).records) }
        return try follow(job, folder) { (follower) throws(LedgerError) in
            try follower.advance(file)
            return follower.summary
        }
    }

    /// All that a folder's ledger says, with what an undo needs.
    func whole(_ job: Int, _ folder: String) throws -> LedgerSummary {
        guard let file = try open(job, folder) else { return LedgerSummary() }
        if try OlderLedger.isOne(file) { return LedgerSummary(try OlderLedger(file).records) }
        return try Ledger.summary(of: file)
    }

    /// The ledger for who is alone with it: locked for as long as it stays open, which waits for a worker that lives.
    func lock(_ job: Int, _ folder: String) throws -> File {
        let file = try state.ledger(job: job, folder: folder)
        _ = try file.lock(wait: true)
        guard try OlderLedger.isOne(file) else { return file }
        try convert(file, job, folder)
        let converted = try state.ledger(job: job, folder: folder)
        _ = try converted.lock(wait: true)
        return converted
    }

    /// Cuts a torn tail off a ledger that is locked.
    ///
    /// - Returns: where the folder stands, and how many records there are.
    func recover(_ file: borrowing File, _ job: Int, _ folder: String) throws -> (LedgerSummary, count: Int) {
        try follow(job, folder) { (follower) throws(LedgerError) in
            try follower.recover(file)
            return (follower.summary, follower.count)
        }
    }

    /// Resumes a folder that failed. Safe to repeat.
    ///
    /// - Parameter step: one that counts as done from now on; nil for none.
    func resume(_ job: Int, _ folder: String, assuming step: Int? = nil) throws {
        guard try state.hasLedger(job: job, folder: folder) else { return }
        var ledger = try Ledger(lock(job, folder))
        let summary = ledger.summary
        guard case .failed = summary.outcome else { return }
        if let step {
            // On the way back it is a downgrade of the job that is undone.
            if summary.isReverting, let undoing = summary.undoing {
                try ledger.append(.undone(job: undoing.job, steps: [step]))
            } else {
                try ledger.append(.finished(steps: [step]))
            }
        }
        try ledger.append(.resumed)
    }

    /// Lets a worker go on that ended because applications had to leave. Safe to repeat.
    ///
    /// - Parameter told: when they were told to.
    func admit(_ job: Int, _ folder: String, told: Timestamp) throws {
        var ledger = try Ledger(lock(job, folder))
        if ledger.summary.admittedAt == nil { try ledger.append(.admitted(at: told)) }
    }

    /// Forgets what was read of a job: its ledgers are removed, or nobody follows them any more.
    func drop(_ job: Int) { followed.withLock { $0 = $0.filter { $0.key.job != job } } }

    private func follow<Value: Sendable>(
        _ job: Int, _ folder: String, _ body: (inout LedgerFollower) throws(LedgerError) -> Value
    ) throws -> Value {
        let one = followed.withLock { followed in
            let key = Key(job: job, folder: folder)
            if let known = followed[key] { return known }
            let new = Followed()
            followed[key] = new
            return new
        }
        return try one.follower.withLock { (follower) throws(LedgerError) in try body(&follower) }
    }

    /// Opens a ledger to look at; nil when there is none. One of an older patchd whose worker has ended is converted first.
    private func open(_ job: Int, _ folder: String) throws -> File? {
        guard let file = try state.existingLedger(job: job, folder: folder) else { return nil }
        guard try OlderLedger.isOne(file), try file.lock() else { return file }
        try convert(file, job, folder)
        return try state.existingLedger(job: job, folder: folder)
    }

    /// Puts the order beside the ledger, then the rest in its place, so that a kill between the two loses nothing.
    private func convert(_ file: borrowing File, _ job: Int, _ folder: String) throws {
        let older = try OlderLedger(file)
        // Once it is there, it is the daemon's own; what a ledger says was written by the folder's owner.
        if let order = older.order, try state.orderOutline(job: job, folder: folder) == nil {
            try state.write(order, job: job, folder: folder)
        }
        try state.replaceLedger(job: job, folder: folder) { new in try older.write(to: new) }
    }
}
