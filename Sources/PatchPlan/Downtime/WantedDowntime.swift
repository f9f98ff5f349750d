public import PatchModel

/// Which folders of an endpoint are locked now, and why; their units stay down. It follows from the states of all jobs that
/// are not over or that hold what failed, from the folders' states and from the configuration: nothing else says that a folder
/// is locked (contract §8).
public struct WantedDowntime: Sendable {
    private let endpoint: Endpoint
    private let jobs: [Job]
    /// Those of which the canary has begun: they have the other folders yet to come to.
    private let coming: [Job]
    private let states: [String: FolderState]
    private let behind: Set<String>

    /// What one folder's job, or its state, asks for.
    private struct Claim {
        var phase: UpdateLock.Phase
        var job: Job?
        var message: String
    }

    /// - Parameters:
    ///   - jobs: the endpoint's; those that are over and hold nothing make no difference.
    ///   - states: by folder.
    public init(endpoint: Endpoint, jobs: [Job], states: [String: FolderState]) {
        self.endpoint = endpoint
        // Those under way first: what they do in a folder counts more than that an earlier one failed there.
        self.jobs = jobs.filter(\.isLocking).sorted { one, other in
            (one.state.isFinal ? 1 : 0, -one.job) < (other.state.isFinal ? 1 : 0, -other.job)
        }
        coming = jobs.filter { !$0.state.isFinal && $0.hasBegun && $0.canary != nil }
        self.states = states
        behind = FolderRelations(endpoint: endpoint, states: states).behind
    }

    /// The folders that are locked. Their units, and the endpoint's own where the root is among them, stay down.
    public var folders: Set<String> { Set(locks.keys) }

    /// By folder, the lock that it should have; folders that are not in it are unlocked.
    public var locks: [String: UpdateLock] {
        var claims: [String: Claim] = [:]
        // Parents come first, so an ancestor's claim is known before its descendants are looked at.
        for folder in endpoint.activeFolders {
            let name = folder.name
            claims[name] =
                claim(on: name) ?? folder.parent.flatMap { claims[$0] }.map { inherited($0, by: name) }
                ?? (endpoint.behind == .locked && behind.contains(name) ? behindClaim(on: name) : nil)
        }
        return Dictionary(uniqueKeysWithValues: claims.map { ($0.key, lock($0.key, $0.value)) })
    }

    /// What keeps a folder locked for its own sake.
    private func claim(on name: String) -> Claim? {
        let state = states[name]
        let candidates = jobs.compactMap { job in claim(of: job, on: name).map { (job, $0) } }
        // Whatever is changed in it now; else that something failed there; else that it is blocked.
        for phases in [
            [UpdateLock.Phase.announced, .trying, .disconnect, .updating, .reverting], [.failed], [.blocked],
        ] {
            if let (_, found) = candidates.first(where: { phases.contains($0.1.phase) }) { return found }
        }
        // No job accounts for it, and its state says that it is half done: nobody may use it.
        switch state?.status {
        case .updating, .failed, .reverting:
            let message = state?.message ?? ""
            return Claim(
                phase: .failed, job: nil,
                message: message.isEmpty ? "it is half done, and no job accounts for it" : message)
        case .current, .behind, nil: return nil
        }
    }

    private func claim(of job: Job, on name: String) -> Claim? {
        guard let folder = job.folders[name] else { return nil }
        let isOver = job.state.isFinal || job.endingAt != nil
        switch folder.state {
        case .failed: return Claim(phase: .failed, job: job, message: folder.message)
        case .blocked where !isOver || job.isHolding:
            return Claim(phase: .blocked, job: job, message: folder.message)
        case .pending where !isOver && job.isInTurn(name), .running where !isOver:
            let phase = states[name]?.status == .reverting ? .reverting : job.phase(of: name)
            return Claim(phase: phase, job: job, message: folder.message)
        // What may yet be undone: somebody who works in it would be in the way of that, and lose what he wrote.
        case .done
        where !isOver && endpoint.onFailure == .revertAll && job.operation == .apply && !job.isCommitted(name):
            return Claim(phase: .updating, job: job, message: folder.message)
        default: return nil
        }
    }

    private func inherited(_ above: Claim, by name: String) -> Claim {
        switch above.phase {
        // A folder that the job leaves out is locked with those above it.
        case .announced, .trying, .disconnect: return Claim(phase: above.phase, job: above.job, message: "")
        case .updating, .reverting: return Claim(phase: .updating, job: above.job, message: "")
        case .failed, .blocked: return Claim(phase: .blocked, job: above.job, message: "")
        case .behind: return behindClaim(on: name)
        }
    }

    /// A job that has the folder yet to come to, after its canary, says what it brings.
    private func behindClaim(on name: String) -> Claim {
        Claim(phase: .behind, job: coming.first { $0.folders[name]?.state == .pending }, message: "")
    }

    private func lock(_ name: String, _ claim: Claim) -> UpdateLock {
        let state = states[name]
        let job = claim.job
        let own = job?.folders[name]
        let since = job?.announcedAt ?? job?.triedAt ?? job?.disconnectedAt ?? job?.startedAt
        return UpdateLock(
            endpoint: endpoint.name, folder: name, phase: claim.phase, update: job?.update ?? state?.update ?? "",
            from: own?.from ?? state?.version,
            to: own?.to ?? job?.version ?? state?.recommendedVersion ?? state?.version,
            job: job?.job ?? state?.job ?? 0,
            since: since ?? state?.updatedAt ?? job?.createdAt ?? Timestamp(nanoseconds: 0),
            deadline: job.flatMap { deadline(of: claim.phase, $0, own) },
            message: Self.fitting(text(of: claim)))
    }

    /// A lock has to fit where room was made for it, on a disk that has run full since: whatever stands in it, a character has six
    /// bytes in JSON at most.
    private static func fitting(_ message: String) -> String {
        let most = 2000
        if message.unicodeScalars.count <= most { return message }
        return String(message.unicodeScalars.prefix(most)) + " …"
    }

    /// A claim's message says why the folder stays locked, or who is in the way of what is done there.
    private func text(of claim: Claim) -> String {
        switch claim.phase {
        case .failed, .blocked, .behind: claim.message.isEmpty ? sentence(for: claim) : claim.message
        case .announced, .trying, .disconnect, .updating, .reverting:
            sentence(for: claim) + (claim.message.isEmpty ? "" : "; " + claim.message)
        }
    }

    /// For the people in front of the screen.
    private func sentence(for claim: Claim) -> String {
        let update = claim.job.map { "\($0.update) \($0.version)" } ?? "an update"
        let isRollback = claim.job?.rollback != nil
        switch claim.phase {
        case .announced: return "close soon: \(update) is about to be \(isRollback ? "rolled back" : "applied")"
        case .trying:
            return "start nothing new: \(update) is being applied while you work; you may have to close at once"
        case .disconnect: return "close now: \(update) is about to be \(isRollback ? "rolled back" : "applied")"
        case .updating: return "\(update) is being \(isRollback ? "rolled back" : "applied")"
        case .reverting: return "\(update) is being undone"
        case .failed: return "\(update) failed here"
        case .blocked: return "\(update) failed in a folder above this one"
        case .behind:
            let next = claim.job.map { ", and \($0.update) \($0.version) comes after the folders that go first" } ?? ""
            return "it is below its reference folder's version\(next)"
        }
    }

    private func deadline(of phase: UpdateLock.Phase, _ job: Job, _ folder: FolderJob?) -> Timestamp? {
        switch phase {
        case .announced: job.announcedAt?.adding(seconds: endpoint.leadTime)
        case .disconnect: (folder?.disconnectedAt ?? job.disconnectedAt)?.adding(seconds: endpoint.grace)
        default: nil
        }
    }
}
