import ArgumentParser
import PatchModel

/// The names of subcommands.
enum CommandName {
    /// Says which one was meant where the first words name none.
    static func check(_ arguments: [String]) throws(Failure) {
        var command: any ParsableCommand.Type = Patchctl.self
        var path = "patchctl"
        for word in arguments {
            let known = command.configuration.subcommands
            if known.isEmpty || word.hasPrefix("-") || word == "help" { return }
            guard let next = known.first(where: { $0._commandName == word }) else {
                // ArgumentParser's own, which are not for people.
                if word.hasPrefix("__") || word.hasPrefix("---") { return }
                let hint = Suggestion.hint(for: word, in: known.map { $0._commandName })
                throw Failure(
                    .usage,
                    "there is no command \"\(path) \(word)\"\(hint.isEmpty ? "; \"\(path) --help\" lists them" : hint)")
            }
            (command, path) = (next, "\(path) \(word)")
        }
    }
}
