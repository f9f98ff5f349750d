import Glibc
import PatchFiles
import PatchModel

/// What became of a dropped archive.
enum Outcome {
    /// The jobs that it became, or that go on with it.
    case jobs([Job])
    case refused(RejectionNote)
    /// The time was over before that.
    case timeout
    /// Nobody takes it.
    case noDaemon
}

/// Follows a dropped archive.
struct Follower {
    private let directories: Directories
    private let sha256: String
    /// The archive's jobs before the drop: one that is resumed by it is another afterwards.
    private let before: [Int: Job]
    /// Refusals from before the drop.
    private let oldNotes: Set<String>

    /// - Parameter sha256: of the archive; taken before it is dropped.
    init(directories: Directories, sha256: String) throws {
        self.directories = directories
        self.sha256 = sha256
        let own = try directories.reading { try directories.liveJobs() }.filter { $0.sha256 == sha256 }
        before = Dictionary(own.map { ($0.job, $0) }) { first, _ in first }
        oldNotes = RejectionNote.names(in: directories)
    }

    /// Seconds in which a daemon that is being started again is expected back, by who waits for the end.
    private static let patience = 5.0

    /// The same, by who waits for the start only. Not 0: on some file systems (overlays) a daemon's lock cannot be seen, but
    /// that it takes the archive can.
    private static let shortPatience = 2.0

    /// Seconds in which all jobs of an archive are made after its first.
    private static let together = 0.3

    /// Waits until the daemon has taken the archive, and gives its jobs as they are then.
    func start(of drop: Incoming.Drop, seconds: Double) throws -> Outcome {
        let outcome = try follow(drop, seconds: seconds, patience: Self.shortPatience, nil) { !$0.isEmpty }
        guard case .jobs = outcome else { return outcome }
        MonotonicClock.wait(seconds: Self.together)
        return .jobs(try jobs())
    }

    /// Waits until the daemon is through with it.
    ///
    /// - Parameters:
    ///   - seconds: how long at most; nil: without end.
    ///   - isShown: whether what the jobs do is shown meanwhile; otherwise what they wait for is a note.
    func end(of drop: Incoming.Drop, seconds: Double?, isShown: Bool = false) throws -> Outcome {
        // One archive becomes one job an endpoint, all created together before the first one runs.
        let view = isShown ? JobView(directories) : nil
        return try follow(drop, seconds: seconds, patience: Self.patience, view) { jobs in
            !jobs.isEmpty && jobs.allSatisfy { $0.state.isFinal || $0.state == .pendingApproval }
        }
    }

    private func follow(
        _ drop: Incoming.Drop, seconds: Double?, patience: Double, _ view: JobView?, until isEnough: ([Job]) -> Bool
    ) throws -> Outcome {
        var view = view
        let begin = MonotonicClock.seconds
        let end = seconds.map { begin + $0 }
        var told = ""
        while true {
            let watch = try? DirectoryWatch(watched())
            let jobs = try jobs()
            view?.show(jobs)
            if isEnough(jobs) { return .jobs(jobs) }
            if jobs.isEmpty, let note = RejectionNote.new(of: sha256, besides: oldNotes, in: directories) {
                return .refused(note)
            }
            let now = MonotonicClock.seconds
            if now - begin > patience, isUntaken(drop), !directories.hasDaemon() { return .noDaemon }
            let reasons = jobs.filter { $0.state == .waiting }.map {
                "job \($0.job) waits for \(LocalTime.localized($0.waitingFor, now: .now))"
            }
            if view == nil, reasons.joined(separator: "\n") != told {
                told = reasons.joined(separator: "\n")
                for reason in reasons { Notes.line(reason) }
            }
            let rest = end.map { $0 - now }
            if let rest, rest <= 0 { return .timeout }
            // The watch is a hint; its directories may not exist yet, or not be ours to watch.
            let pause = min(rest ?? 1, 1)
            if let watch { watch.wait(seconds: pause) } else { MonotonicClock.wait(seconds: pause / 4) }
        }
    }

    private func isUntaken(_ drop: Incoming.Drop) -> Bool {
        (try? Directory.open(directories.spoolDir + "/incoming").status(drop.name)) != .some(nil)
    }

    private func jobs() throws -> [Job] {
        try directories.reading { try directories.liveJobs() }.filter { $0.sha256 == sha256 && before[$0.job] != $0 }
    }

    private func watched() throws -> [String] {
        [directories.stateDir + "/jobs", directories.spoolDir + "/rejected"]
            + (try jobs().map { "\(directories.stateDir)/jobs/\($0.job)" })
    }
}
