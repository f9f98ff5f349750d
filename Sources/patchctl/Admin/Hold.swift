import ArgumentParser
import Glibc
import PatchFiles
import PatchJSON
import PatchModel
import PatchStore

struct Hold: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep patchd away from a folder, an endpoint or everything, until unhold.",
        discussion: """
            Exits 0 when it is granted: no update begins until it is over. Exits 5 when one is at work already; the hold stays, \
            and counts for the next one. It counts when it comes from root, an approver or the folder's owner.
            """)

    @Argument(help: "ENDPOINT, ENDPOINT/FOLDER or ALL.")
    var target: String

    @Option(help: "Why, for the admins who will ask.")
    var reason = ""

    @Option(help: "When it is over: a time as 2026-11-22T06:00:00Z, or a length from now on, such as 2h.")
    var until: Moment?

    @Option(help: "It is over when this process has ended.")
    var pid: Int32?

    @OptionGroup var directories: Directories

    func validate() throws {
        if let pid, pid <= 0 || RunningProcess(pid).name == nil { throw ValidationError("there is no process \(pid)") }
        if let until, until.time < .now { throw ValidationError("--until \(until.time) is over") }
        if ["pid:", "until:"].contains(where: reason.hasPrefix) {
            throw ValidationError("a reason cannot begin with \"pid:\" or \"until:\", which mean something in a hold")
        }
    }

    func run() throws {
        let hold = try HoldFile(target, in: directories)
        let folders = try hold.folders(directories)
        try hold.write(text(for: hold.target)) { uid in hold.mayHold(uid, folders, directories) }
        if let note = hold.doubt(folders, directories) { Notes.write(note) }
        // Only now: an update that begins meanwhile sees the hold, or its lock is seen here.
        let locked = try folders.compactMap { folder in try folder.lock().map { (folder, $0) } }
        if locked.isEmpty { return Output.write("granted: \(hold.words) is held") }
        for (folder, lock) in locked { Notes.write("\(folder.name) \(lock.description)") }
        throw Failure(.waiting, "an update is already at work; the hold on \(hold.words) counts for the next one")
    }

    private func text(for target: PatchModel.Hold.Target) -> String {
        let line = String(reason.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
        var hold = PatchModel.Hold(target, text: line.isEmpty ? "held by \(UserName.own) with patchctl hold" : line)
        hold.pid = pid
        hold.until = until?.time
        return hold.text
    }
}

struct Unhold: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take a hold away; exit code 3 where there is none.")

    @Argument(help: "ENDPOINT, ENDPOINT/FOLDER or ALL.")
    var target: String

    @OptionGroup var directories: Directories

    func run() throws {
        let hold = try HoldFile(target, in: directories)
        guard try hold.remove() else {
            Notes.write("there is no hold on \(hold.words)")
            throw Code.nothingToDo.exit
        }
        Output.write("\(hold.words) is no longer held")
    }
}

/// A time, given as such or as a length from now on.
struct Moment: ExpressibleByArgument {
    let time: Timestamp

    init?(argument: String) {
        if let time = try? JSONText.read(Timestamp.self, JSONText.line(argument)) {
            self.time = time
        } else if let length = Length(argument: argument) {
            time = Timestamp.now.adding(seconds: length.seconds)
        } else {
            return nil
        }
    }
}
