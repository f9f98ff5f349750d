import CLinux
import Glibc

/// A program that this process stands for, with everything that it starts. It has this process's terminal, process
/// group, standard streams and environment (but no blocked signals, or signals could not reach it). What it leaves
/// behind becomes this process's child instead of init's, so no process is lost, however it detached itself. For
/// programs with one thread, and one such tree a process.
public struct ProcessTree: ~Copyable {
    /// The pid of the program itself.
    public let pid: Int32
    /// How the program ended; nil while it runs.
    public private(set) var exit: ChildProcess.Exit?
    /// Children that this process had before, which do not count.
    private let strangers: Set<Int32>

    /// Starts a program, found as the shell does. It gets SIGTERM when this process is killed.
    ///
    /// - Parameters:
    ///   - arguments: with the program's name first.
    ///   - directory: its working directory; nil: this process's.
    ///   - kept: a descriptor that it and its children inherit.
    /// - Throws: also when the program cannot be executed.
    public init(_ arguments: [String], in directory: String?, keeping kept: Int32) throws(FileError) {
        strangers = Self.hasChildren ? Set(RunningProcess.all().filter { $0.parent == getpid() }.map(\.pid)) : []
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        let started = pointers.withUnsafeMutableBufferPointer { arguments in
            patch_spawn_here(arguments.baseAddress, directory, kept)
        }
        guard started > 0 else {
            // Of the two possible causes, only the working directory can be checked.
            if let directory, access(directory, X_OK) != 0 { throw FileError("enter", directory) }
            throw FileError("run", arguments.first ?? "")
        }
        pid = started
    }

    /// Whether this process has children at all.
    private static var hasChildren: Bool {
        var info = siginfo_t()
        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0
    }

    /// Collects processes that have ended.
    ///
    /// - Returns: whether any is left.
    public mutating func reap() -> Bool {
        while true {
            var status: Int32 = 0
            let ended = waitpid(-1, &status, WNOHANG)
            if ended < 0, errno == EINTR { continue }
            if ended < 0 { return false }
            if ended == 0 { return exit == nil || strangers.isEmpty || !members().isEmpty }
            if ended == pid { exit = ChildProcess.Exit(status: status) }
        }
    }

    /// All processes of the tree that still run.
    public func members() -> [RunningProcess] {
        let children = Dictionary(grouping: RunningProcess.all(), by: \.parent)
        var found: [RunningProcess] = []
        var above = [getpid()]
        while let next = above.popLast() {
            let below = (children[next] ?? []).filter { !strangers.contains($0.pid) }
            found += below
            above += below.map(\.pid)
        }
        return found
    }

    /// Sends a signal to all processes of the tree.
    ///
    /// - Returns: those that this user may not signal.
    @discardableResult
    public func signal(_ number: Int32) -> [RunningProcess] {
        members().filter { member in
            let isRefused = kill(member.pid, number) != 0 && errno == EPERM
            // A stopped process would not handle it.
            if !isRefused { kill(member.pid, SIGCONT) }
            return isRefused
        }
    }
}
