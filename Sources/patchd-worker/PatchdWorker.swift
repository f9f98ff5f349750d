import ArgumentParser
import PatchModel

/// The worker's command line: one subcommand for each thing it is started for.
@main
struct PatchdWorker: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patchd-worker",
        abstract: "Checks an archive, or updates one folder. Started by patchd; not for the command line.",
        version: ProgramVersion.text,
        subcommands: [
            UnpackCommand.self, SignatureCommand.self, PackCommand.self, FactsCommand.self, SurveyCommand.self,
            ExamineCommand.self, RehearseCommand.self, TidyCommand.self, StageCommand.self,
            TryoutCommand.self, ApplyCommand.self,
            FinishCommand.self, RevertCommand.self, ForgetCommand.self, VerifyCommand.self, ShowCommand.self,
            BaselineCommand.self, SignalCommand.self,
        ])
}
