import Foundation
import Support

/// A program of this host that runs beside the test, in a process group of its own, so that a Ctrl-C reaches only the
/// test. (Foundation's Process ends only when whatever the program has left behind ends too.)
final class Child: @unchecked Sendable {
    let pid: pid_t
    /// Rung once it has ended.
    let ended = Bell()

    private let lock = NSLock()
    private var status: Int32 = 0

    /// Starts it; the descriptors become its standard input, output and errors. It gets no other, whatever another test
    /// has open.
    init(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil, input: Int32? = nil,
        output: Int32 = 1, errors: Int32 = 2
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        Support.Command.closeOthers(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Threads of the test may have signals blocked, which would be inherited.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        let variables = environment ?? ProcessInfo.processInfo.environment
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        var pairs: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for word in words + pairs { free(word) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, program, &actions, &attributes, &words, &pairs)
        guard error == 0 else { throw Failure("starting \(program): \(String(cString: strerror(error)))") }
        self.pid = pid
        let thread = Thread { [self] in
            var status: Int32 = 0
            while waitpid(self.pid, &status, 0) < 0, errno == EINTR {}
            lock.withLock { self.status = status }
            ended.ring()
        }
        thread.start()
    }

    var isRunning: Bool { !ended.hasRung }

    /// Its exit code, 128 and the number where a signal ended it; nil while it runs.
    var code: Int32? {
        guard !isRunning else { return nil }
        let status = lock.withLock { self.status }
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// Two ends of a line, one for the test and one for a child.
    static func line() throws -> (own: Int32, its: Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw Failure("making a socket pair: \(String(cString: strerror(errno)))")
        }
        return (ends[0], ends[1])
    }

    func signal(_ number: Int32) { if isRunning { kill(pid, number) } }
}
