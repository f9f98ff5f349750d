import ArgumentParser
import PatchFiles
import PatchModel

struct Holds: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List who keeps patchd away from what, with the files in holds/ that do not count.")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        let list: HoldList
        do {
            let rights = HoldRights(
                directories, try? directories.configuration(), try Target(nil).folders(directories))
            list = try HoldList(directories, rights)
        } catch let error as FileError {
            throw Failure("cannot list holds: \(error)")
        }
        if json {
            try Output.json(HoldReport(holds: list.holds))
        } else if list.holds.isEmpty {
            Notes.line("nothing is held")
        } else {
            Output.table(
                head: HoldTable.head,
                list.holds.map {
                    HoldTable.row($0, doubt: $0.counts ? "" : "does not count: not \($0.owner)'s to hold")
                })
        }
        if list.leftOut > 0 { Notes.line("\(list.leftOut) more files in holds/ are not shown") }
    }
}

/// `holds --json`.
struct HoldReport: Encodable {
    var schema = 1
    var holds: [StandingHold]
}
