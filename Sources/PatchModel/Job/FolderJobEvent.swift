/// What can happen to a folder in a job. ``FolderJob/after(_:)`` is the only place that says what follows.
public enum FolderJobEvent: Hashable, Sendable {
    /// It could not be staged. Nothing in it was changed, so it has not failed.
    case notStaged(code: FaultCode, message: String)
    /// Work on it begins, or resumes after a crash.
    case begin
    /// It was tried while applications worked in it, and they have to leave now.
    case disconnect(at: Timestamp)
    /// They have.
    case admit(at: Timestamp)
    /// Who is in the way of a step.
    case inTheWay([Blocker])
    /// The worker is so far.
    case progress(FolderJob.Progress)
    /// Everything is done and durable.
    case finish
    /// It stopped at a step; `done` steps are finished.
    case fail(code: FaultCode, message: String, done: Int?)
    /// Its reference folder did not come through, or, in a rollback, a folder below it.
    case block(message: String)
    /// What the job did here is undone from now on.
    case revert
    /// Everything is undone; code and message say why it had to be.
    case reverted(code: String, message: String)
    /// A rollback, which is another job, has undone what this one did here.
    case undone
    /// An admin resumed it.
    case resume
    /// An admin leaves it as it is.
    case skip
    /// The job was resumed, and cancelled before its turn: the folder is as it was before.
    case resumptionCancelled(isHalfDone: Bool)
}

/// A change that may not be made.
public struct TransitionRefused: Error, Hashable, Sendable, CustomStringConvertible {
    /// For people: what is in which state, and what was to happen.
    public let description: String

    init(_ description: String) { self.description = description }
}

extension FolderJob {
    /// Where the folder stands after an event.
    ///
    /// - Throws: ``TransitionRefused`` where the event cannot happen in this state.
    public func after(_ event: FolderJobEvent) throws(TransitionRefused) -> FolderJob {
        var next = self
        switch (state, event) {
        case (.pending, .notStaged(let code, let message)):
            (next.code, next.message) = (code.rawValue, message)
        case (.pending, .begin), (.running, .begin):
            next.state = .running
        case (.running, .disconnect(let at)): next.disconnectedAt = disconnectedAt ?? at
        case (.running, .admit(let at)): next.admittedAt = admittedAt ?? at
        case (.running, .inTheWay(let blockers)):
            next.message =
                blockers.isEmpty ? "" : "in the way: " + blockers.prefix(5).map(\.description).joined(separator: ", ")
        case (.running, .progress(let progress)):
            next.progress = progress
        case (.running, .finish), (.done, .finish):
            next.state = .done
            (next.code, next.message, next.reverting) = ("", "", nil)
            next.progress = Progress(done: progress.total, total: progress.total)
        // A resumed job may end before it comes to a folder in whose middle it is.
        case (.pending, .fail(let code, let message, let done)), (.running, .fail(let code, let message, let done)),
            (.failed, .fail(let code, let message, let done)):
            next.state = .failed
            (next.code, next.message, next.reverting) = (code.rawValue, message, nil)
            next.progress = Progress(done: done ?? progress.done, total: progress.total)
        case (.pending, .block(let message)):
            next.state = .blocked
            next.message = message
        // With `revertAll` a folder that is done is undone too. One that failed keeps its cause.
        case (.pending, .revert), (.running, .revert), (.failed, .revert), (.done, .revert):
            next.state = .running
            next.reverting = true
        case (.running, .reverted(let code, let message)), (.failed, .reverted(let code, let message)),
            (.reverted, .reverted(let code, let message)):
            next.state = .reverted
            (next.code, next.message, next.reverting) = (code, message, nil)
            next.progress.done = 0
        case (.failed, .undone):
            next.state = .reverted
            next.message = Fault.messageAfterRevert(message)
            next.reverting = nil
        // What a rollback undoes was done, or never begun: that is not this job's failure.
        case (_, .undone):
            break
        case (.failed, .resume), (.blocked, .resume), (.pending, .resume):
            next = FolderJob(
                state: .pending, equal: equal, progress: Progress(total: progress.total), from: from, to: to)
        case (.failed, .skip), (.blocked, .skip):
            next = FolderJob(
                state: .excluded, equal: equal, progress: Progress(total: progress.total), from: from, to: to)
        case (.pending, .resumptionCancelled(let isHalfDone)):
            next.state = isHalfDone ? .failed : .blocked
            guard isHalfDone else { break }
            next.code = FaultCode.cancelled.rawValue
            next.message = "resumed, and cancelled before its turn; resume the job, or roll it back"
        case (.failed, .resumptionCancelled), (.done, .resumptionCancelled), (.upToDate, .resumptionCancelled),
            (.excluded, .resumptionCancelled), (.blocked, .resumptionCancelled), (.reverted, .resumptionCancelled):
            break
        default:
            throw TransitionRefused("a folder that is \(state.rawValue) cannot \(event.verb)")
        }
        return next
    }

    /// Whether the job has changed it, or begun to, or came to it and could not.
    public var hasBegun: Bool { [.running, .done, .failed, .blocked, .reverted].contains(state) }

    /// Whether the folder is on its way back. Earlier builds recorded only that it runs and has failed before.
    public var isGoingBack: Bool { reverting == true || state == .running && !code.isEmpty }
}

extension FolderJobEvent {
    fileprivate var verb: String {
        switch self {
        case .notStaged: "fail to be staged"
        case .begin: "begin"
        case .disconnect: "disconnect applications"
        case .admit: "be admitted"
        case .inTheWay: "have somebody in the way"
        case .progress: "make progress"
        case .finish: "finish"
        case .fail: "fail"
        case .block: "be blocked"
        case .revert: "be reverted"
        case .reverted: "have been reverted"
        case .undone: "be undone"
        case .resume: "be resumed"
        case .skip: "be skipped"
        case .resumptionCancelled: "have its resumption cancelled"
        }
    }
}
