import ArgumentParser
import Glibc
import PatchFiles
import PatchModel

struct Hold: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hold updates of a folder, an endpoint or everything, until unhold.",
        discussion: """
            Exits 0 when it is granted: no update begins until it ends. Exits 5 when one is already running; the hold stays, \
            and counts for the next one. It counts when it comes from root, an approver or the folder's owner; one that would \
            not count is refused with 4. A hold of one's own on the same target is replaced.
            """)

    @Argument(help: "ENDPOINT, ENDPOINT/FOLDER or ALL.", completion: .targets)
    var target: String

    @Option(help: "Why, for the admins who will ask.")
    var reason = ""

    @Option(help: "When it ends: a time such as 2026-11-22T06:00:00Z, or a length from now, such as 2h.")
    var until: Moment?

    @Option(help: "It ends with this process.")
    var pid: Int32?

    @OptionGroup var directories: Directories

    func validate() throws {
        if let pid, pid <= 0 || RunningProcess(pid).name == nil { throw ValidationError("there is no process \(pid)") }
        if let until, until.time < .now { throw ValidationError("--until \(until.time) is in the past") }
        if ["pid:", "until:"].contains(where: reason.hasPrefix) {
            throw ValidationError("a reason cannot begin with \"pid:\" or \"until:\", which mean something in a hold")
        }
    }

    func run() throws {
        let file = try HoldFile(target, in: directories)
        let folders = try file.folders(directories)
        let rights = HoldRights(
            directories, try? directories.configuration(), try Target(nil).folders(directories))
        guard rights.mayHold(file.target, geteuid()) else {
            throw Failure(
                .refused,
                "a hold of \(UserName.own) on \(file.words) would not count; \(rights.whoMay(file.target)) may hold it")
        }
        let before = file.current()
        try file.write(text(for: file.target), rights)
        if let before { Notes.line(replaced(before)) }
        // Only now: an update that begins meanwhile sees the hold, or its lock is seen here.
        let locked = try folders.compactMap { folder in try folder.lock().map { (folder, $0) } }
        if locked.isEmpty { return Output.line("granted: \(file.words) is held") }
        for (folder, lock) in locked { Notes.line("\(folder.name) \(lock.description)") }
        throw Failure(.waiting, "an update is already running; the hold on \(file.words) counts for the next one")
    }

    private func text(for target: PatchModel.Hold.Target) -> String {
        let line = String(reason.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
        var hold = PatchModel.Hold(target, text: line.isEmpty ? "held by \(UserName.own) with patchctl hold" : line)
        hold.pid = pid
        hold.until = until?.time
        return hold.text
    }

    /// What is no longer so: an end that was promised to somebody must not go without a word.
    private func replaced(_ before: PatchModel.Hold) -> String {
        var parts: [String] = []
        if let time = before.until { parts.append("until \(LocalTime.text(time))") }
        if let pid = before.pid { parts.append("while process \(pid) runs") }
        if !before.reason.isEmpty { parts.append("\"\(before.reason)\"") }
        let end = until.map { "now until \(LocalTime.text($0.time))" } ?? pid.map { "now while process \($0) runs" }
        return
            "this replaces your hold \(parts.joined(separator: ", ")); it is \(end ?? "now without an end: lift it with patchctl unhold \(target)")"
    }
}
