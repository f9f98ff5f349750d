import ArgumentParser
import PatchModel
import PatchStore

struct Marks: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the updates that are marked unstable.")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        let unstable = try directories.reading {
            try directories.hasState ? directories.state.unstable() : UnstableUpdates()
        }
        if json { return try Output.json(unstable) }
        if unstable.marks.isEmpty { return Notes.line("no update is marked unstable") }
        Output.table(
            head: ["UPDATE", "VERSION", "MARKED BY", "AT"],
            unstable.marks.map { [$0.update, $0.version.description, $0.by, LocalTime.text($0.at)] })
    }
}
