import Foundation

/// A program that was started, with what it says going to files. For tests that start tens of thousands: `Process` has crashed
/// on such, with several threads at it.
public struct Command {
    /// What kept it from being run, or from what it should have done.
    public struct Problem: Error, CustomStringConvertible {
        /// What went wrong, with what the program said.
        public let description: String
    }

    /// Its process.
    public let process: pid_t

    /// One that was started before.
    init(process: pid_t) { self.process = process }

    /// - Parameters:
    ///   - arguments: the program's absolute path first.
    ///   - environment: beside `PATH`.
    ///   - output: a file that is made anew.
    ///   - errors: a file to which it is added; nil: with the output.
    public static func start(
        _ arguments: [String], environment: [String: String] = [:], output: String = "/dev/null", errors: String? = nil
    ) throws -> Command {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        Self.closeOthers(&actions)
        let own = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"].merging(environment) { $1 }
        var words = arguments.map { strdup($0) } + [nil]
        var variables = own.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var process: pid_t = 0
        let problem = posix_spawn(&process, arguments[0], &actions, nil, &words, &variables)
        guard problem == 0 else {
            throw Problem(description: "cannot run \(arguments): \(String(cString: strerror(problem)))")
        }
        return Command(process: process)
    }

    /// Closes in the program whatever another test has open at that moment: a file that is being dropped would be open for
    /// writing, and a file system that is to be unmounted would be in use for as long as the program runs.
    public static func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
        for descriptor: Int32 in 3..<1024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
    }

    /// The exit code, or 128 and the signal; nil while it runs.
    public func end(wait: Bool) -> Int32? {
        var status: Int32 = 0
        while true {
            let found = waitpid(process, &status, wait ? 0 : WNOHANG)
            if found == 0 { return nil }
            if found == process { return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f }
            if errno != EINTR { return 255 }
        }
    }

    /// The same, waiting for it at most so many seconds.
    public func end(within seconds: Double) -> Int32? {
        let limit = Date().addingTimeInterval(seconds)
        while Date() < limit {
            if let code = end(wait: false) { return code }
            usleep(1000)
        }
        return nil
    }

    /// Runs a tool that has to succeed.
    public static func tool(_ arguments: String...) throws {
        let log = "/tmp/patchd-tool-\(UInt64.random(in: .min ... .max))"
        defer { unlink(log) }
        let code = try start(arguments, output: log).end(wait: true)
        guard code == 0 else {
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw Problem(description: "\(arguments.joined(separator: " ")): \(said)")
        }
    }
}
