import ArgumentParser
import Glibc
import PatchFiles
import PatchModel

struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a job to its end, or all jobs; Ctrl-C stops watching, not the job.",
        discussion: """
            With JOB it ends with it: 0 done, 1 failed, declined or cancelled, 3 nothing to do, 6 waits for approval. On a \
            terminal the folders' progress is drawn; elsewhere, and with NO_COLOR, each change of a state is a line.
            """)

    @Argument(help: "The job's number; default: all that have not ended.", completion: .jobs)
    var job: Int?

    @OptionGroup var directories: Directories

    func run() throws {
        if let job { _ = try directories.job(job) }
        var view = JobView(directories, known: job == nil ? try jobs() : [])
        var isFirst = true
        while true {
            // Before the jobs are read: what comes in between ends the wait.
            let watch = try? DirectoryWatch(watched(try jobs()))
            let current = try jobs()
            view.show(current)
            if job != nil, let own = current.first, own.state.isFinal || own.state == .pendingApproval {
                return try Ending.report(.jobs([own]))
            }
            if isFirst, job == nil, current.allSatisfy(\.state.isFinal) { Notes.line("no job is under way") }
            if isFirst, !directories.hasDaemon() { Notes.line("no daemon runs; jobs continue when one is started") }
            isFirst = false
            // The watch is a hint, and may not be had.
            if let watch { watch.wait(seconds: 1) } else { MonotonicClock.wait(seconds: 0.25) }
        }
    }

    /// What is watched; of all jobs those that the daemon knows.
    private func jobs() throws -> [Job] {
        if let job { return [try directories.job(job)] }
        return try directories.reading { try directories.liveJobs() }
    }

    private func watched(_ jobs: [Job]) -> [String] {
        let shown = jobs.filter { !$0.state.isFinal || $0.job == job }
        return ["\(directories.stateDir)/jobs"] + shown.map { "\(directories.stateDir)/jobs/\($0.job)" }
    }
}
