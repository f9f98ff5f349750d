import ArgumentParser
import Glibc
import PatchFiles
import PatchModel

/// A command that runs inside a folder, until it ends or an update begins.
struct GuardedCommand: ~Copyable {
    /// What ends a program by default; passed on, and no reason to start it again.
    static let ending = [SIGTERM, SIGINT, SIGHUP, SIGQUIT]

    /// Why it is over. Nobody of the command's processes is left then.
    enum Ending {
        case byItself(ChildProcess.Exit)
        /// It had to leave, and has. `mayRestart` is false when somebody besides wanted it to end.
        case told(LockNotice, mayRestart: Bool)
    }

    private let name: String
    private let folder: ApplicationFolder
    /// Of the folder that is held, wherever its path leads meanwhile. Its flock is the one that was inherited.
    private let gate: FolderGate
    /// Whether the flock was to be had; else it is taken as soon as it is.
    private var isInside: Bool
    private let grace: Double
    private var tree: ProcessTree
    private var isAskedToEnd = false

    /// Starts it. The gate's descriptor is inherited: should this process be killed, the folder stays in use as long as
    /// one of the command's processes runs.
    init(
        _ command: [String], in directory: String?, of folder: ApplicationFolder, gate: borrowing FolderGate,
        isInside: Bool, grace: Double
    ) throws {
        let held = try Self.run { () throws(FileError) in try gate.directory.duplicate() }
        let tree = try Self.run { () throws(FileError) in
            try ProcessTree(command, in: directory, keeping: gate.directory.descriptor)
        }
        name = command[0]
        self.folder = folder
        self.gate = FolderGate(held)
        self.isInside = isInside
        self.grace = grace
        self.tree = tree
    }

    /// With the exit codes of a shell.
    private static func run<Value: ~Copyable>(_ body: () throws(FileError) -> Value) throws -> Value {
        do throws(FileError) {
            return try body()
        } catch {
            Notes.error(error.description)
            throw ExitCode(error.number == ENOENT ? 127 : 126)
        }
    }

    /// Waits for its end, or ends it.
    mutating func watch(_ signals: borrowing SignalQueue) -> Ending {
        let watch = try? DirectoryWatch([folder.path])
        var isTold = false
        while true {
            if !isInside { isInside = gate.share() }
            if let lock = LockNotice.found(in: gate.directory), !lock.isAnnouncement {
                // What ended before it was asked to has ended by itself.
                if tree.reap() {
                    stop(lock, signals)
                    return .told(lock, mayRestart: !isAskedToEnd)
                }
            }
            if !tree.reap(), let exit = tree.exit { return .byItself(exit) }
            if let exit = tree.exit, !isTold {
                isTold = true
                let pids = tree.members().map { "\($0.name ?? "?") (pid \($0.pid))" }.joined(separator: ", ")
                Notes.line("\(name) ended with \(exit.shellCode); still inside \(folder.name): \(pids)")
            }
            Self.wait(seconds: isInside ? 1 : 0.05, watch, signals)
            passOn(signals)
        }
    }

    /// A signal to guard is meant for the command; with Ctrl-C the terminal has sent it there already.
    private mutating func passOn(_ signals: borrowing SignalQueue) {
        while let arrival = signals.next() {
            if arrival.number == SIGCHLD { continue }
            if Self.ending.contains(arrival.number) { isAskedToEnd = true }
            if arrival.isFromKernel { continue }
            if tree.exit == nil { kill(tree.pid, arrival.number) } else { tree.signal(arrival.number) }
        }
    }

    /// Has everybody leave: asks, and from the deadline on insists.
    private mutating func stop(_ lock: LockNotice, _ signals: borrowing SignalQueue) {
        // A deadline that is over was that of an attempt before; a second is what anybody gets.
        let time = lock.deadline.map { max(1, $0.seconds(since: .now)) } ?? grace
        let end = MonotonicClock.seconds + time
        tree.signal(SIGTERM)
        var isTold = false
        while tree.reap() {
            let rest = end - MonotonicClock.seconds
            Self.wait(seconds: rest > 0 ? min(rest, 1) : 0.1, nil, signals)
            passOn(signals)
            guard rest <= 0, tree.reap() else { continue }
            let refused = tree.signal(SIGKILL)
            if !isTold {
                Notes.line("\(name) did not leave within \(Int(time)) s, and is killed")
                for process in refused { Notes.error("pid \(process.pid) cannot be ended: it is another user's") }
                isTold = true
            }
        }
    }

    /// Until a signal comes, something changes in the folder, or the time is over.
    static func wait(seconds: Double, _ watch: DirectoryWatch?, _ signals: borrowing SignalQueue) {
        if let watch {
            watch.wait(seconds: seconds, or: signals.descriptor)
        } else {
            var source = pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&source, 1, Int32(seconds * 1000) + 1)
        }
    }
}

extension ChildProcess.Exit {
    /// As a shell shows it in `$?`.
    var shellCode: Int32 {
        switch self {
        case .code(let code): code
        case .signal(let number): 128 + number
        }
    }
}
