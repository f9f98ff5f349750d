import Foundation
import Synchronization

/// A MariaDB server of this test process's own, started by the first test that needs it: with a private socket in a
/// temporary directory, as an ordinary user, without the network. It ends when this process ends, however that comes about.
public final class MariaDBServer: Sendable {
    /// What kept it from being run.
    public struct Problem: Error, CustomStringConvertible {
        /// With what the server said.
        public let description: String
    }

    /// Its directory; short, as the path of a socket is limited.
    public let directory: String
    /// Its socket.
    public var socket: String { directory + "/s" }
    /// Keeps the shell around it waiting.
    private let lifeline: FileHandle
    private let databases = Atomic<Int>(0)

    private static let started = Mutex<Result<MariaDBServer, any Error>?>(nil)

    /// The server of this process.
    public static func shared() throws -> MariaDBServer {
        try started.withLock { kept in
            if let kept { return try kept.get() }
            let made = Result { try MariaDBServer() }
            kept = made
            return try made.get()
        }
    }

    /// One of a test's own, which it may kill.
    public init(options: [String] = []) throws {
        var template = Array("/tmp/patchd-mdb-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Problem(description: "cannot make a temporary directory") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let user = geteuid() == 0 ? "nobody" : NSUserName()
        let own = ["--no-defaults", "--user=\(user)", "--datadir=\(directory)/data"]
        try Self.prepare(directory, user, own)
        lifeline = try Self.start(
            directory,
            own + [
                "--socket=\(directory)/s", "--skip-networking", "--pid-file=\(directory)/pid",
                "--log-error=\(directory)/log", "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M",
                "--innodb-flush-log-at-trx-commit=2", "--key-buffer-size=1M", "--skip-log-bin",
                "--plugin-load-add=metadata_lock_info", "--plugin-maturity=unknown", "--max-connections=200",
            ] + options)
        try waitUntilReady()
    }

    private static func prepare(_ directory: String, _ user: String, _ own: [String]) throws {
        try run(["/usr/bin/install", "-d", "-o", user, directory + "/data"])
        try run(["/bin/chown", user, directory])
        try run(["/bin/chmod", "755", directory])
        try run(
            ["/usr/bin/mariadb-install-db"] + own + [
                "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
                "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M",
            ])
    }

    private static func run(_ arguments: [String]) throws {
        let log = "/tmp/patchd-tool-\(UInt64.random(in: .min ... .max))"
        defer { unlink(log) }
        let code = try Command.start(arguments, output: log).end(wait: true)
        guard code == 0 else {
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw Problem(description: "\(arguments.joined(separator: " ")): \(said)")
        }
    }

    /// A shell starts the server, again when it was killed, as systemd would. It ends the server and removes everything as soon
    /// as its own standard input ends: with this process, whose end of the pipe is closed then.
    private static func start(_ directory: String, _ options: [String]) throws -> FileHandle {
        let process = Process()
        let pipe = Foundation.Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments =
            [
                "-c",
                """
                directory=$1; shift
                trap '' HUP INT TERM
                touch "$directory/run"
                (
                    while [ -e "$directory/run" ]; do
                        /usr/sbin/mariadbd "$@" < /dev/null > /dev/null 2>&1
                        [ $? -gt 128 ] || exit
                    done
                ) &
                loop=$!
                cat > /dev/null
                rm "$directory/run"
                pkill -KILL -P $loop
                wait
                rm -rf "$directory"
                """, "sh", directory,
            ] + options
        process.standardInput = pipe
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        // Other children of this process must not hold it open.
        let end = pipe.fileHandleForWriting
        _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC)
        try process.run()
        return end
    }

    /// Returns when the server answers.
    public func waitUntilReady() throws {
        let limit = Date().addingTimeInterval(60)
        while (try? run("SELECT 1")) != "1" {
            guard Date() < limit else {
                let log = (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? ""
                throw Problem(description: "the server does not answer: \(log.suffix(2000))")
            }
        }
    }

    /// Kills the server, which is started again.
    public func killServer() throws {
        let text = try String(contentsOfFile: directory + "/pid", encoding: .utf8)
        guard let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Problem(description: "no pid in \(directory)/pid")
        }
        kill(pid, SIGKILL)
    }

    /// A new, empty database, and its name.
    public func makeDatabase() throws -> String {
        let name = "test\(getpid())_\(databases.add(1, ordering: .relaxed).newValue)"
        try run("CREATE DATABASE \(name) CHARACTER SET utf8mb4")
        return name
    }

    /// The URL of a database.
    public func url(_ database: String, user: String = "root") -> String {
        "mariadb://\(user)@/\(database)?socket=\(socket)"
    }

    /// What the mariadb program prints, columns separated by tabs.
    @discardableResult
    public func run(_ sql: String, in database: String = "", user: String = "root", password: String? = nil) throws
        -> String
    {
        let name = "/tmp/patchd-output-\(UInt64.random(in: .min ... .max))"
        defer { unlink(name) }
        let code = try Command.start(
            [
                "/usr/bin/mariadb", "--no-defaults", "--default-character-set=utf8mb4", "--batch",
                "--skip-column-names", "-u", user, "-S", socket,
            ]
                + (password.map { ["-p\($0)"] } ?? []) + ["-e", sql] + (database.isEmpty ? [] : [database]),
            output: name
        ).end(wait: true)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: name))
        let said = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
        guard code == 0 else { throw Problem(description: "\(sql): \(said)") }
        return said
    }
}
