import ArgumentParser
import PatchModel

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a code means, and what to do about it; without CODE, list all.")

    @Argument(
        help: "A code of a job, a refused archive, a request or lint (such as dependency), or an exit code.",
        completion: .list(CodeExplanation.all.map(\.code)))
    var code: String?

    @OptionGroup var directories: Directories

    func run() throws {
        let all = CodeExplanation.all
        guard let code else {
            return Output.table(all.map { Table.Row([$0.code, $0.meaning]) })
        }
        guard let found = all.first(where: { $0.code == code }) else {
            throw Failure("there is no code \"\(code)\"\(Suggestion.hint(for: code, in: all.map(\.code)))")
        }
        Output.line("\(found.code): \(found.meaning)")
        if !found.wayOut.isEmpty { Output.line(found.wayOut) }
    }
}
