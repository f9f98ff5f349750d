import ArgumentParser
import PatchModel

struct Unhold: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove a hold; exits 3 where there is none.")

    @Argument(help: "ENDPOINT, ENDPOINT/FOLDER or ALL.", completion: .targets)
    var target: String

    @OptionGroup var directories: Directories

    func run() throws {
        let hold = try HoldFile(target, in: directories)
        guard try hold.remove() else {
            Notes.line("there is no hold on \(hold.words)")
            throw ExitStatus.nothingToDo.exit
        }
        Output.line("\(hold.words) is no longer held")
    }
}
