import Glibc
import PatchFiles
import PatchJSON
import PatchModel
import PatchStore

/// What became of a dropped archive.
enum Outcome {
    /// The jobs it became, all of them at their end or waiting for approval.
    case jobs([Job])
    case refused(RejectionNote)
    /// The time was over before that.
    case timeout
    /// Nobody takes it.
    case noDaemon
}

/// `rejected/NAME.zip.reason.json`.
struct RejectionNote: Codable {
    var file: String
    var sha256: String
    var code: String
    var reason: String
}

/// Follows what was dropped until the daemon is through with it.
struct Follower {
    let directories: Directories
    let sha256: String
    /// Jobs up to this one are older than the drop.
    let last: Int
    /// Refusals that lay there before the drop.
    let oldNotes: Set<String>

    /// - Parameter sha256: of the archive; taken before it is dropped.
    init(directories: Directories, sha256: String) throws {
        self.directories = directories
        self.sha256 = sha256
        last = try directories.jobs().last?.job ?? 0
        oldNotes = Set(Self.notes(directories))
    }

    /// - Parameters:
    ///   - drop: its name in `incoming/`.
    ///   - seconds: how long at most; nil: without end.
    func wait(for drop: String, seconds: Double?) throws -> Outcome {
        let begin = Self.clock()
        let end = seconds.map { begin + $0 }
        var told = ""
        while true {
            let watch = try? DirectoryWatch(watched())
            if let outcome = try look() { return outcome }
            if Self.clock() - begin > Self.patience, isUntaken(drop), !directories.hasDaemon() { return .noDaemon }
            let reasons = try jobs().filter { $0.state == .waiting }.map { "job \($0.job) waits for \($0.waitingFor)" }
            if reasons.joined(separator: "\n") != told {
                told = reasons.joined(separator: "\n")
                if !told.isEmpty { Notes.write(told) }
            }
            let rest = end.map { $0 - Self.clock() }
            if let rest, rest <= 0 { return .timeout }
            // The watch is a hint; its directories may not be there yet, or not be ours to watch.
            let pause = min(rest ?? 1, 1)
            if let watch { watch.wait(seconds: pause) } else { usleep(UInt32(pause * 250_000)) }
        }
    }

    /// Seconds in which a daemon that is being started again is expected back.
    private static let patience = 5.0

    private func isUntaken(_ drop: String) -> Bool {
        (try? Directory.open(directories.spoolDir + "/incoming").status(drop)) != .some(nil)
    }

    private func jobs() throws -> [Job] { try directories.jobs().filter { $0.sha256 == sha256 && $0.job > last } }

    private func look() throws -> Outcome? {
        let jobs = try jobs()
        if jobs.isEmpty { return refusal().map(Outcome.refused) }
        // One archive becomes one job an endpoint, all created together before the first one runs.
        return jobs.allSatisfy { $0.state.isFinal || $0.state == .pendingApproval } ? .jobs(jobs) : nil
    }

    private func watched() throws -> [String] {
        let jobs = try jobs()
        return [directories.stateDir + "/jobs", directories.spoolDir + "/rejected"]
            + jobs.map { "\(directories.stateDir)/jobs/\($0.job)" }
    }

    private func refusal() -> RejectionNote? {
        guard let rejected = try? Directory.open(directories.spoolDir + "/rejected") else { return nil }
        for name in Self.notes(directories) where !oldNotes.contains(name) {
            guard let bytes = try? rejected.readFile(name),
                let note = try? JSONText.read(RejectionNote.self, bytes), note.sha256 == sha256
            else { continue }
            return note
        }
        return nil
    }

    private static func notes(_ directories: Directories) -> [String] {
        guard let rejected = try? Directory.open(directories.spoolDir + "/rejected") else { return [] }
        return ((try? rejected.names()) ?? []).filter { $0.hasSuffix(".reason.json") && !$0.hasPrefix(".") }
    }

    /// Seconds that no change of the host's time disturbs.
    static func clock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
