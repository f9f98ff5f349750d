/// What can happen to a job. ``Job/after(_:)`` is the only place that says what follows.
public enum JobEvent: Hashable, Sendable {
    /// It is not its turn yet.
    case wait(reason: String, at: Timestamp)
    /// It has its turn, or resumes after a crash; `turn` is its place among the endpoint's jobs if it has changed nothing yet.
    case begin(turn: Int, at: Timestamp)
    /// Its preflight has said where each folder stands, and which go first.
    case plan([String: FolderJob], canary: CanaryPlan? = nil)
    /// Somebody has to approve what was planned.
    case askApproval(digest: String, message: String)
    /// Somebody approved it, perhaps with other options.
    case approve(JobApproval, options: UpdateOptions?, folders: [String: FolderJob]?, request: String)
    /// The preflight before the start gave what was approved.
    case confirmApproval
    /// Its endpoint asks for no approval any more.
    case dropApproval
    /// Somebody said no.
    case decline(by: String, request: String, at: Timestamp)
    /// 9998 is about to be shown.
    case announce(at: Timestamp)
    /// 9998 `trying` is about to be shown.
    case tryOut(at: Timestamp)
    /// 9999 is about to be shown.
    case disconnect(at: Timestamp)
    /// Nobody was found inside.
    case admit(at: Timestamp)
    /// The endpoint's tasks are stopped.
    case quiesce(at: Timestamp)
    /// Somebody keeps patchd away: it waits in its place, and is planned again.
    case postpone(reason: String, by: BlockingProcess?, at: Timestamp)
    /// Its canary is done: the others wait; nil: until an approval.
    case pause(until: Timestamp?, at: Timestamp)
    /// The others have their turn: the pause is over, there is none, or somebody ended it.
    case endPause(by: JobApproval.Approver? = nil, request: String? = nil)
    /// Something happened to one folder.
    case folder(String, FolderJobEvent)
    /// A rollback has undone what this job did in a folder.
    case undone(folder: String)
    /// An admin wants it to end: at once when it waits, else when its current steps are through.
    case cancel(request: String, at: Timestamp)
    /// It was resumed, and is cancelled before its turn: it has failed as before.
    case cancelResumption(halfDone: Set<String>, request: String, at: Timestamp)
    /// An admin resumed it: with steps that count as done, by folder, and without some folders.
    case resume(assuming: [String: Int], skipping: Set<String>, request: String?)
    /// What it is at, for people; empty when there is nothing to say.
    case note(String)
    /// The same archive was dropped again, which resumed it; by whom it was signed this time.
    case dropAgain(JobDrop, signer: String)
    /// Nothing more will be changed: what is fit for use is unlocked from now on.
    case startEnding(at: Timestamp)
    /// By unit, why it does not come up again; empty for none.
    case unitsDown([String: String])
    /// It is over; nil: without a fault.
    case end(Fault?, at: Timestamp)
}

extension Job {
    /// The job after an event.
    ///
    /// - Throws: ``TransitionRefused`` where the event cannot happen in this state.
    public func after(_ event: JobEvent) throws(TransitionRefused) -> Job {
        var next = self
        switch (state, event) {
        case (.queued, .wait(let reason, let at)),
            (.waiting, .wait(let reason, let at)) where !isPaused:
            next.state = .waiting
            next.waitingFor = reason
            next.waitingSince = waitingSince ?? at
        case (.queued, .begin(let turn, let at)), (.running, .begin(let turn, let at)),
            (.waiting, .begin(let turn, let at)) where !isPaused:
            next.state = .running
            next.stopWaiting()
            next.blockingProcess = nil
            next.resumption = nil
            next.startedAt = startedAt ?? at
            if !hasBegun { next.turn = turn }
            // A daemon that ends while hooks run after the last folder must not lock the folders again.
            if hasOpenFolders { next.endingAt = nil }
        case (.running, .plan(let folders, let canary)):
            next.folders = folders
            next.canary = canary.map(JobCanary.init)
        case (.running, .askApproval(let digest, let message)):
            next.state = .pendingApproval
            next.approval = JobApproval(digest: digest)
            next.message = message
            next.stopWaiting()
            // It holds no place: it starts again when it is approved.
            next.startedAt = nil
            next.turn = nil
        case (.pendingApproval, .approve(let approval, let options, let folders, let request)):
            next.state = .queued
            next.approval = approval
            next.options = options ?? self.options
            next.folders = folders ?? self.folders
            next.message = ""
            next.request = request
        case (.running, .confirmApproval):
            next.approval?.isConfirmed = true
        case (.pendingApproval, .dropApproval), (.queued, .dropApproval), (.waiting, .dropApproval),
            (.running, .dropApproval):
            if state == .pendingApproval { next.state = .queued }
            next.approval = nil
            next.message = ""
        case (.pendingApproval, .decline(let name, let request, let at)):
            next.state = .declined
            next.message = "declined by \(name)"
            next.request = request
            next.finishedAt = at
        case (.waiting, .decline(let name, let request, let at)) where isPaused:
            next.cancel("declined by \(name) after its canary; what was done stays done", request, at)
        case (.running, .announce(let at)): next.announcedAt = announcedAt ?? at
        case (.running, .tryOut(let at)) where disconnectedAt == nil: next.triedAt = triedAt ?? at
        case (.running, .disconnect(let at)): next.disconnectedAt = disconnectedAt ?? at
        case (.running, .admit(let at)): next.admittedAt = admittedAt ?? at
        case (.running, .quiesce(let at)): next.quiescedAt = quiescedAt ?? at
        case (.running, .postpone(let reason, let process, let at)):
            next.state = .waiting
            next.waitingFor = reason
            next.waitingSince = at
            next.blockingProcess = process
            next.approval?.isConfirmed = false
            next.leaveLocks()
        case (.running, .pause(let until, let at)) where canary?.stage == .first:
            next.state = .waiting
            next.canary?.stage = .paused
            next.canary?.until = until
            next.waitingFor = next.canary?.reason(job: job) ?? ""
            next.waitingSince = at
            next.leaveLocks()
        case (.running, .endPause(let approver, let request)) where canary?.stage == .first,
            (.waiting, .endPause(let approver, let request)) where isPaused:
            // Its place is kept for it: it goes on before all that wait.
            if state == .waiting { next.state = .queued }
            next.canary?.stage = .rest
            next.canary?.approver = approver
            next.request = request ?? self.request
            next.stopWaiting()
            next.leaveLocks()
        case (_, .folder(let name, let change)):
            guard let folder = folders[name] else { throw refused("has no folder \(name)") }
            do throws(TransitionRefused) {
                next.folders[name] = try folder.after(change)
                // A corrected archive put back what it held: there is nothing left to resume.
                if case .reverted = change, state == .failed, !next.isHolding {
                    next.message = Fault.messageAfterRevert(message)
                }
            } catch {
                throw TransitionRefused("job \(job), folder \(name): \(error)")
            }
        case (_, .undone(let name)):
            if let folder = folders[name] { next.folders[name] = try folder.after(.undone) }
            if isHolding, !next.isHolding { next.message = Fault.messageAfterRevert(message) }
        case (.queued, .cancel(let request, let at)), (.waiting, .cancel(let request, let at)),
            (.pendingApproval, .cancel(let request, let at)), (.running, .cancel(let request, let at)):
            next.cancelledAt = cancelledAt ?? at
            next.request = request
            guard state != .running, !isLocking, !hasBegun || isBetweenParts else { break }
            let why = hasBegun ? "cancelled after its canary; what was done stays done" : "cancelled before it began"
            next.cancel(why, request, at)
        case (.queued, .cancelResumption(let halfDone, let request, let at)),
            (.waiting, .cancelResumption(let halfDone, let request, let at)):
            for (name, folder) in folders {
                next.folders[name] = try folder.after(.resumptionCancelled(isHalfDone: halfDone.contains(name)))
            }
            next.state = .failed
            next.code = FaultCode.cancelled.rawValue
            next.message = "cancelled before its turn; resume it, or roll it back"
            next.request = request
            next.resumption = nil
            next.finishedAt = at
            next.stopWaiting()
        case (.failed, .resume(let assumed, let skipped, let request)) where !isSettled:
            next.state = .queued
            next.request = request ?? self.request
            next.code = ""
            next.message = ""
            next.finishedAt = nil
            next.cancelledAt = nil
            next.endingAt = nil
            next.resumption = assumed
            // It failed as its canary's tasks did not come up: the pause begins anew.
            if let plan = canary?.plan, canary?.stage == .paused { next.canary = JobCanary(plan) }
            if !hasBegun { next.approval?.isConfirmed = false }
            for (name, folder) in folders where folder.isResumable {
                next.folders[name] = try folder.after(skipped.contains(name) ? .skip : .resume)
            }
        case (.running, .note(let text)): next.message = text
        case (.queued, .dropAgain(let drop, let signer)):
            next.drop = drop
            next.signer = signer
        // It may end before its turn: the ledger of a folder that it was to go on with is damaged.
        case (.queued, .startEnding(let at)), (.waiting, .startEnding(let at)), (.running, .startEnding(let at)):
            next.endingAt = endingAt ?? at
        case (.queued, .unitsDown(let units)), (.waiting, .unitsDown(let units)), (.running, .unitsDown(let units)):
            next.units = units.isEmpty ? nil : units
        case (.queued, .end(let fault, let at)), (.waiting, .end(let fault, let at)),
            (.running, .end(let fault, let at)):
            // What an admin has to decide about is a failure, whatever led to it.
            let isCancelled = fault?.code == .cancelled && !isHolding
            next.state = fault == nil ? .done : isCancelled ? .cancelled : .failed
            next.code = fault?.code.rawValue ?? ""
            next.message = fault?.description ?? ""
            next.finishedAt = at
            next.stopWaiting()
            if !isHolding { next.leaveLocks() }
            next.endingAt = nil
        default:
            throw refused("cannot \(event.verb)")
        }
        return next
    }

    private func refused(_ why: String) -> TransitionRefused {
        TransitionRefused("job \(job) is \(state.rawValue): it \(why)")
    }

    private mutating func cancel(_ why: String, _ request: String, _ at: Timestamp) {
        state = .cancelled
        code = FaultCode.cancelled.rawValue
        message = why
        self.request = request
        cancelledAt = cancelledAt ?? at
        finishedAt = at
        stopWaiting()
    }

    private mutating func stopWaiting() {
        waitingFor = ""
        waitingSince = nil
    }

    private mutating func leaveLocks() {
        announcedAt = nil
        triedAt = nil
        disconnectedAt = nil
        admittedAt = nil
        quiescedAt = nil
        endingAt = nil
    }
}

extension FolderJob {
    /// Whether a resumed job takes it up again.
    public var isResumable: Bool { [.failed, .blocked, .pending].contains(state) }
}

extension JobEvent {
    fileprivate var verb: String {
        switch self {
        case .wait: "wait"
        case .begin: "begin"
        case .plan: "be planned"
        case .askApproval: "ask for approval"
        case .approve: "be approved"
        case .confirmApproval: "have its approval confirmed"
        case .dropApproval: "lose its approval"
        case .decline: "be declined"
        case .announce: "announce itself"
        case .tryOut: "be tried while applications work"
        case .disconnect: "disconnect applications"
        case .admit: "be admitted"
        case .quiesce: "have its tasks stopped"
        case .postpone: "be postponed"
        case .folder: "change a folder"
        case .undone: "be undone"
        case .pause: "pause"
        case .endPause: "go on after its canary"
        case .cancel: "be cancelled"
        case .cancelResumption: "have its resumption cancelled"
        case .resume: "be resumed"
        case .startEnding: "come to its end"
        case .dropAgain: "be dropped again"
        case .note: "say what it is at"
        case .unitsDown: "have units that are down"
        case .end: "end"
        }
    }
}
