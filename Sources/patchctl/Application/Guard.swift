import ArgumentParser
import Glibc
import PatchFiles
import PatchModel

struct Guard: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command so that no update of a folder begins under it.",
        discussion: """
            COMMAND starts only while the folder is unlocked, else the exit code is 5. When an update begins (9999), COMMAND and \
            all that it started get SIGTERM, and SIGKILL at the lock's deadline; the exit code is 5 then too. With --restart it \
            waits for the folder instead, and runs COMMAND (again), in the version that the folder has by then.

            Otherwise the exit code is COMMAND's, or 128 and the number of the signal that ended it; 126 and 127 say that it \
            cannot be run. Processes that COMMAND leaves behind count as it does: the folder is in use, and guard runs, until all \
            have ended. SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on.
            """)

    @Flag(help: "Wait while the folder is locked, and run COMMAND again after an update.")
    var restart = false

    @Option(help: "How long COMMAND may take to leave where the lock has no deadline.")
    var grace = Length(seconds: 30)

    @Argument(help: "ENDPOINT/FOLDER.", completion: .folders)
    var folder: String

    @Argument(parsing: .postTerminator, help: "What to run, after \"--\".")
    var command: [String] = []

    @OptionGroup var directories: Directories

    func validate() throws {
        if command.isEmpty { throw ValidationError("there is no COMMAND; put it after \"--\"") }
    }

    func run() throws {
        let signals: SignalQueue
        do throws(FileError) {
            signals = try SignalQueue([SIGCHLD] + GuardedCommand.ending + [SIGUSR1, SIGUSR2])
        } catch {
            throw Failure(error.description)
        }
        let start = Self.workingDirectory()
        var isFirst = true
        while true {
            // Anew each time: the endpoint may have moved.
            let folder = try ApplicationFolder(folder, in: directories)
            let entrance = try enter(folder, signals)
            var guarded = try GuardedCommand(
                command, in: isFirst ? nil : start, of: folder, gate: entrance.gate, isInside: entrance.isInside,
                grace: grace.seconds)
            isFirst = false
            let ending = guarded.watch(signals)
            // For everybody who inherited the descriptor, should one have been missed.
            entrance.gate.leave()
            switch ending {
            case .byItself(let exit): throw ExitCode(exit.shellCode)
            case .told(let lock, let mayRestart):
                let text = "\(folder.name) \(lock.description)"
                guard restart, mayRestart else { throw Failure(.waiting, "\(command[0]) had to leave: \(text)") }
                Notes.line("\(command[0]) had to leave, and is started again when the folder is unlocked: \(text)")
            }
        }
    }

    /// Where COMMAND is started again. The directory itself may be another one after the update.
    private static func workingDirectory() -> String? {
        guard let path = getcwd(nil, 0) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    /// Seconds after which it is looked whether who has a folder for himself has a say in it; the daemon has it for an instant.
    private static let strangersPatience = 2.0

    private static func busy(_ folder: ApplicationFolder, _ holders: [Int32]) -> String {
        let names = holders.map { pid in
            let process = RunningProcess(pid)
            return "\(process.name ?? "?") (pid \(pid)\(process.user.map { ", \(UserName.of($0))" } ?? ""))"
        }
        return "\(folder.name) is somebody's alone (flock on \"\(folder.path)\")"
            + (names.isEmpty ? "" : ": \(names.joined(separator: ", "))")
    }

    /// A folder's gate, and whether its flock was to be had.
    private struct Entrance: ~Copyable {
        var gate: FolderGate
        var isInside: Bool
    }

    /// Into the folder, as soon as it is free with `restart`.
    private func enter(_ folder: ApplicationFolder, _ signals: borrowing SignalQueue) throws -> Entrance {
        var isTold = false
        var busySince: Double?
        while true {
            let watch = try? DirectoryWatch([folder.path])
            // Anew each time: the folder itself may be another one.
            let gate = try folder.looking { () throws(FileError) in try FolderGate.open(folder.path) }
            var pause = 1.0
            switch try folder.looking({ () throws(FileError) in try gate.enter(unless: UpdateLock.fileName) }) {
            case .inside: return Entrance(gate: gate, isInside: true)
            case .locked:
                let lock = LockNotice.found(in: gate.directory)
                guard restart else {
                    throw Failure(.waiting, "\(folder.name) \(lock?.description ?? "is locked")")
                }
                if let lock, !isTold { Notes.line("waiting: \(folder.name) \(lock.description)") }
                isTold = true
                busySince = nil
            case .busy:
                // The daemon has it for an instant, after it wrote the lock or while a job is taken back.
                let since = busySince ?? MonotonicClock.seconds
                busySince = since
                pause = 0.02
                let waited = MonotonicClock.seconds - since
                if waited > Self.strangersPatience {
                    pause = 0.5
                    let holders = gate.holders()
                    // The daemon ignores them, too.
                    if !holders.isEmpty, gate.strangers() == holders {
                        Notes.line(
                            "\(Self.busy(folder, holders)), who is no user of the folder's: it is not waited for")
                        return Entrance(gate: gate, isInside: false)
                    }
                }
                if waited > 10 {
                    let text = Self.busy(folder, gate.holders())
                    guard restart else { throw Failure(.waiting, text) }
                    if !isTold { Notes.line("waiting: \(text)") }
                    isTold = true
                }
            }
            GuardedCommand.wait(seconds: pause, watch, signals)
            while let arrival = signals.next() {
                if GuardedCommand.ending.contains(arrival.number) { throw ExitCode(128 + arrival.number) }
            }
        }
    }
}
