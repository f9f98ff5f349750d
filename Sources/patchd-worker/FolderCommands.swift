import ArgumentParser
import Glibc
import PatchFiles
import PatchModel
import PatchSteps
import Synchronization

/// Looks for what a plan has to know of a folder; changes nothing.
struct FactsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "facts")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.find() } }
}

/// Looks at a folder; changes nothing.
struct SurveyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "survey")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.survey() } }
}

/// Looks whether a folder's database can be used; changes nothing.
struct ExamineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "examine")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.examine() } }
}

/// Tries the scripts on copies.
struct RehearseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rehearse")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.rehearse() } }
}

/// Removes what an interrupted rehearsal left.
struct TidyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "tidy")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.tidy() } }
}

/// Brings new content beside its place.
struct StageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stage")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.stage() } }
}

/// Switches the files and runs the scripts.
struct ApplyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "apply")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.apply() } }
}

/// Goes as far as it can while applications work in the folder.
struct TryoutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "tryout")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.tryOut() } }
}

/// Runs the hook of a folder that is done.
struct FinishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "finish")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.finish() } }
}

/// Undoes what this job did, or what the jobs did that its order names.
struct RevertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revert")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.revert() } }
}

/// Removes what was kept for an undo of the job that the order names.
struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "forget")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.forget() } }
}

/// Compares what patchd brought with what is there; changes nothing.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "verify")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.verify() } }
}

/// Shows the folder's lock in its database.
struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.show() } }
}

/// Takes the folder's database as it is for a version.
struct BaselineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "baseline")

    @OptionGroup var directories: Directories

    func run() throws { try FolderCommand.run { (work) throws(WorkerError) in try work.baseline() } }
}

/// What they have in common: the checked tree and the order through standard input, the ledger on standard output, the trace on
/// standard error. The result is the ledger's last record; the exit code says only whether the worker could work.
enum FolderCommand {
    private static let stopping = Atomic<Bool>(false)

    static func run(_ body: (inout FolderWork) throws(WorkerError) -> Void) throws {
        // The folder's owner is not to write to the ledger in its place.
        RunningProcess.forbidTracing()
        signal(SIGTERM) { _ in FolderCommand.stopping.store(true, ordering: .relaxed) }
        signal(SIGPIPE, SIG_IGN)
        umask(0o022)
        // The trace is closed with the work that owned it.
        let voice = fcntl(2, F_DUPFD_CLOEXEC, 3)
        do throws(WorkerError) {
            let (tree, order) = try WorkOrder.receive(from: 0)
            var work = try FolderWork(
                order: order, tree: Directory(adopting: tree, path: "checked tree"),
                ledger: File(adopting: 1, path: "ledger"),
                trace: File(adopting: 2, path: "trace"),
                credentials: getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) + "/database" },
                rehearseCredentials: getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) + "/rehearsal" },
                shouldStop: { stopping.load(ordering: .relaxed) })
            do throws(WorkerError) {
                try body(&work)
            } catch {
                guard case .failed(let step, let code, let message) = error else { throw error }
                try work.recordFailure(step: step, code, message)
            }
        } catch {
            // The ledger cannot say it; standard error is the trace.
            let line = "\(error)\n"
            _ = line.withCString { write(voice, $0, strlen($0)) }
            throw ExitCode(3)
        }
    }
}
