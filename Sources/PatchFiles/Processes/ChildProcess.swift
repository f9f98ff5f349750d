import CLinux
import Glibc

/// A program in a session of its own; it outlives this process.
public struct ChildProcess: ~Copyable, Sendable {
    /// How a process ended.
    public enum Exit: Hashable, Sendable {
        case code(Int32)
        case signal(Int32)

        /// From the status of `waitpid(2)`.
        init(status: Int32) {
            self = status & 0x7f == 0 ? .code((status >> 8) & 0xff) : .signal(status & 0x7f)
        }
    }

    /// Its pid, which is also that of its process group.
    public let pid: Int32
    /// Becomes readable when it ends.
    public let ending: File

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - arguments: with the program's own name first.
    ///   - environment: `NAME=value`.
    ///   - directory: its working directory, as a descriptor, so that nobody can swap the path.
    ///   - user: nil: this process's own.
    ///   - cage: what it is kept in; nil for nothing.
    /// - Throws: also when the program cannot be executed, or cannot be kept in its cage.
    public static func start(
        _ path: String, _ arguments: [String], environment: [String], in directory: borrowing Directory,
        input: Int32, output: Int32, error: Int32, as user: UserIdentity? = nil, in cage: Cage? = nil
    ) throws(FileError) -> ChildProcess {
        var argumentPointers = arguments.map { strdup($0) } + [nil]
        var environmentPointers = environment.map { strdup($0) } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        let groups = user?.groups ?? []
        let workingDirectory = directory.descriptor
        var ending: Int32 = -1
        let pid = Cage.with(cage) { cage in
            path.withCString { program in
                groups.withUnsafeBufferPointer { groupList in
                    argumentPointers.withUnsafeMutableBufferPointer { arguments in
                        environmentPointers.withUnsafeMutableBufferPointer { environment in
                            var process = patch_process(
                                path: program, arguments: arguments.baseAddress, environment: environment.baseAddress,
                                directory: workingDirectory, input: input, output: output, error: error,
                                switch_user: user == nil ? 0 : 1, uid: user?.uid ?? 0, gid: user?.gid ?? 0,
                                groups: groupList.baseAddress, group_count: groupList.count, cage: cage)
                            return patch_spawn(&process, &ending)
                        }
                    }
                }
            }
        }
        guard pid > 0 else { throw FileError("run", path) }
        return ChildProcess(pid: pid, ending: File(adopting: ending, path: "process \(pid)"))
    }

    /// Blocks the calling thread until it has ended.
    public func wait() -> Exit {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            if errno != EINTR { return .signal(0) }
        }
        return Exit(status: status)
    }

    /// Blocks the calling thread until it has ended. After `seconds` its whole process group gets SIGTERM, 10 s later
    /// SIGKILL.
    public func wait(seconds: Double) -> Exit {
        for (limit, number) in [(seconds, SIGTERM), (10, SIGKILL)] {
            var source = pollfd(fd: ending.descriptor, events: Int16(POLLIN), revents: 0)
            // A signal that interrupts the wait ends it early, which does no harm.
            if poll(&source, 1, Int32(min(limit, 2_000_000) * 1000)) > 0 { break }
            signalGroup(number)
        }
        return wait()
    }

    /// Sends a signal to its whole process group; no error when that has ended.
    public func signalGroup(_ number: Int32) { kill(-pid, number) }
}

/// A pipe's two ends.
public struct Pipe: ~Copyable {
    /// To read from; does not block.
    public let reading: File
    /// To write to.
    public var writing: File?

    /// A new pipe.
    public init() throws(FileError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileError("create", "pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        reading = File(adopting: ends[0], path: "pipe")
        writing = File(adopting: ends[1], path: "pipe")
    }
}
