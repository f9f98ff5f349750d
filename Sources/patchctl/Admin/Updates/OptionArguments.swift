import ArgumentParser
import PatchModel

/// What is applied (contract §6); the same for every command that takes an archive.
struct OptionArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Only this endpoint; may be repeated.", valueName: "name"), completion: .endpoints)
    var endpoint: [String] = []

    @OptionGroup var choice: ChoiceArguments

    func options(_ operation: UpdateOptions.Operation = .apply) throws -> UpdateOptions {
        UpdateOptions(
            operation: operation, endpoints: endpoint.isEmpty ? nil : endpoint, exclude: choice.exclude,
            only: choice.only, patches: try choice.chosenPatches(), force: choice.force)
    }
}
