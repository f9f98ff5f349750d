import Foundation
import Synchronization

/// A PostgreSQL server of the tests' own on a private socket, run as the user `postgres`. It ends with the test process,
/// however that ends.
public final class PostgreSQLServer: Sendable {
    /// The directory of its socket: the `host` of a URL.
    public let directory: String
    /// Ends it when the test process is gone.
    private let guardian: Process
    private let guardianInput: Pipe

    /// Of the newest version that Debian's packages have put there.
    public static let programs: String = {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        return "/usr/lib/postgresql/\(versions.compactMap { Int($0) }.max() ?? 15)/bin"
    }()
    private static let opened = Mutex<PostgreSQLServer?>(nil)

    /// The one that all tests use which do not stop it.
    public static func shared() throws -> PostgreSQLServer {
        try opened.withLock { server in
            if let server { return server }
            let new = try PostgreSQLServer()
            server = new
            return new
        }
    }

    /// A server for a test that kills it.
    public init() throws {
        var template = Array("/tmp/patchd-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Command.Problem(description: "cannot make a directory in /tmp") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try Command.tool("/usr/bin/chown", "postgres:postgres", directory)
        chmod(directory, 0o755)
        try Command.tool(
            Self.asUser[0], Self.asUser[1], Self.asUser[2], Self.asUser[3], "\(Self.programs)/initdb", "-D",
            "\(directory)/data", "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C.UTF-8")
        // Roles whose name begins with "secret" log in with a password.
        let rules = "local all +secretive scram-sha-256\nlocal all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        try rules.write(toFile: "\(directory)/data/pg_hba.conf", atomically: false, encoding: .utf8)
        guardian = Process()
        guardianInput = Pipe()
        guardian.executableURL = URL(fileURLWithPath: "/bin/sh")
        guardian.arguments = [
            "-c",
            "trap '' INT TERM; cat > /dev/null; read pid < \"$1/data/postmaster.pid\" && kill -QUIT \"$pid\"; sleep 1; rm -rf \"$1\"",
            "sh", directory,
        ]
        guardian.standardInput = guardianInput
        try guardian.run()
        try start()
        try sql("CREATE ROLE secretive NOLOGIN")
    }

    /// What has ended and is not waited for would be found again and again by those who wait for any child.
    deinit {
        try? kill()
        try? guardianInput.fileHandleForWriting.close()
    }

    private static let asUser = ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]

    /// Starts it, also again after ``kill()``, and waits until it answers.
    public func start() throws {
        let server = try Command.start(
            Self.asUser + [
                "\(Self.programs)/postgres", "-D", "\(directory)/data", "-k", directory, "-c", "listen_addresses=",
                "-c", "fsync=off", "-c", "max_connections=200", "-c", "max_prepared_transactions=10",
                "-c", "shared_buffers=32MB", "-c", "deadlock_timeout=200ms",
            ], output: "\(directory)/log")
        for _ in 0..<600 {
            let asked = try Command.start(["\(Self.programs)/pg_isready", "-q", "-h", directory])
            if asked.end(wait: true) == 0 { return }
            if let code = server.end(wait: false) {
                let log = (try? String(contentsOfFile: "\(directory)/log", encoding: .utf8)) ?? ""
                throw Command.Problem(description: "the server ended with \(code): \(log)")
            }
            usleep(50_000)
        }
        throw Command.Problem(description: "the server does not answer")
    }

    /// Ends the server and all who serve its sessions at once, as a power cut would.
    public func kill() throws {
        let text = try String(contentsOfFile: "\(directory)/data/postmaster.pid", encoding: .utf8)
        guard let pid = Int32(text.prefix { $0 != "\n" }) else { throw Command.Problem(description: text) }
        Glibc.kill(pid, SIGKILL)
        // What has ended and is not waited for still counts as running.
        _ = Command(process: pid).end(wait: true)
    }

    /// Makes a database that nobody else uses.
    ///
    /// - Returns: its name.
    public func createDatabase(owner: String = "postgres") throws -> String {
        let name = "d\(UInt64.random(in: .min ... .max))"
        try sql("CREATE DATABASE \(name) OWNER \(owner)")
        return name
    }

    /// The URL of a database of this server.
    public func url(_ database: String, user: String = "postgres", schema: String? = nil) -> String {
        let place = directory.replacing("/", with: "%2F")
        return "postgresql://\(user)@/\(database)?host=\(place)" + (schema.map { "&schema=\($0)" } ?? "")
    }

    /// Runs SQL with psql.
    ///
    /// - Returns: the rows, columns separated by `|`.
    @discardableResult
    public func sql(_ text: String, in database: String = "postgres", user: String = "postgres") throws -> String {
        let output = "/tmp/patchd-psql-\(UInt64.random(in: .min ... .max))"
        defer { unlink(output) }
        let code = try Command.start(
            [
                "/usr/bin/psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-h", directory, "-U", user, "-d",
                database,
                "-c", text,
            ], output: output
        ).end(wait: true)
        let said = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        guard code == 0 else { throw Command.Problem(description: "\(text): \(said)") }
        return said.trimmingCharacters(in: .newlines)
    }

    /// A session of somebody else's, for as long as it is kept: psql reads what is sent to it.
    public func session(
        in database: String, user: String = "postgres", program: String = "payroll"
    ) throws -> PostgreSQLClient {
        try PostgreSQLClient(directory, database, user: user, program: program)
    }
}

/// Somebody else's session.
public final class PostgreSQLClient {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    fileprivate init(_ directory: String, _ database: String, user: String, program: String) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/psql")
        process.arguments = [
            "-X", "-q", "-t", "-A", "-d",
            "host=\(directory) dbname=\(database) user=\(user) application_name=\(program)",
        ]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    deinit { end() }

    /// Sends statements and waits until they have run.
    ///
    /// - Returns: what was printed.
    @discardableResult
    public func run(_ text: String) throws -> String {
        let mark = "done\(UInt32.random(in: .min ... .max))"
        try send("\(text)\n\\echo \(mark)\n")
        var said = ""
        while !said.contains(mark) {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { return said }
            said += String(decoding: data, as: UTF8.self)
        }
        return String(said.prefix(upTo: said.range(of: mark)?.lowerBound ?? said.endIndex))
            .trimmingCharacters(in: .newlines)
    }

    /// Sends statements and does not wait for their end.
    public func send(_ text: String) throws {
        signal(SIGPIPE, SIG_IGN)
        try input.fileHandleForWriting.write(contentsOf: Data("\(text)\n".utf8))
    }

    /// Whether its program still runs.
    public var isRunning: Bool { process.isRunning }

    /// Ends it.
    public func end() {
        try? input.fileHandleForWriting.close()
        process.terminate()
    }
}
