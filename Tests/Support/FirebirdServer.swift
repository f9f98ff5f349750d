import Foundation

/// A Firebird server of this test process's own: an ordinary user's, in a directory of its own, on a free port of this
/// host. It ends with the process, however that ends, because a shell waits for the end of what it reads from here.
///
/// Unchecked: only the lock's holder uses the pipes, and all else is constant.
public final class FirebirdServer: @unchecked Sendable {
    /// A script that is in its second statement for some seconds, in which its worker or the server can be killed.
    public static let slowScript = """
        CREATE TABLE log (entry varchar(20));
        INSERT INTO log VALUES ('first');
        SET TERM ^ ;
        EXECUTE BLOCK AS DECLARE n integer = 0;
        BEGIN
          INSERT INTO log VALUES ('slow');
          WHILE (n < 20000000) DO n = n + 1;
        END^
        SET TERM ; ^
        INSERT INTO log VALUES ('last');
        """

    /// What kept it from starting or from doing what it should.
    public struct Problem: Error, CustomStringConvertible {
        /// What went wrong.
        public let description: String
    }

    /// Who owns the databases, and logs in.
    public static let (user, password) = ("APP", "secret of app")
    /// Somebody who is allowed nothing, and logs in.
    public static let (stranger, strangersPassword) = ("STRANGER", "no secret")

    /// The one for all tests that end it not.
    public static let shared = Result { try FirebirdServer() }

    /// Where it listens, on localhost.
    public let port: Int
    /// Everything that it has.
    public let directory: String
    private let process = Process()
    private let input = Foundation.Pipe()
    private let output = Foundation.Pipe()
    private let lock = NSLock()
    private var databases = 0

    private static let system = "/usr/lib/x86_64-linux-gnu/firebird/3.0"

    /// What the shell does that starts it. `$1` is the directory.
    private static let script = """
        # What ends the test process may be meant for its whole group; the end of the input is what counts.
        trap "" TERM INT HUP
        cd "$1/data" || exit 1
        isql-fb -q -bail -user SYSDBA <<'END' || exit 1
        CREATE DATABASE 'security3.fdb';
        CREATE USER SYSDBA PASSWORD 'secret';
        CREATE USER \(user) PASSWORD '\(password)';
        CREATE USER \(stranger) PASSWORD '\(strangersPassword)';
        GRANT CREATE DATABASE TO USER \(user);
        COMMIT;
        END
        isql-fb -q -bail -user \(user) <<'END' || exit 1
        CREATE DATABASE 'template.fdb' PAGE_SIZE 4096 DEFAULT CHARACTER SET UTF8;
        CREATE TABLE pay(id integer NOT NULL PRIMARY KEY, name varchar(20) NOT NULL);
        COMMIT;
        INSERT INTO pay VALUES (1, 'Ada');
        INSERT INTO pay VALUES (2, 'Grace');
        COMMIT;
        END
        start() { /usr/sbin/firebird >/dev/null 2>&1 <&- & child=$!; }
        start
        echo ok
        while read -r word argument; do
            case $word in
            copy) cp template.fdb "$argument" ;;
            kill) kill -9 $child; wait $child 2>/dev/null ;;
            start) start ;;
            signal) kill -"$argument" $child ;;
            esac
            echo ok
        done
        kill -9 $child
        rm -rf "$1"
        """

    /// Starts one.
    public init() throws {
        var template = Array("/tmp/patchd-fb-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Problem(description: "no temporary directory") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        port = try Self.freePort()
        try prepare()
        let shell = ["/bin/sh", "-c", Self.script, "sh", directory]
        let user = getpwnam("firebird").map { "\($0.pointee.pw_uid)" } ?? "65534"
        // It serves nobody whose files it could damage.
        let drop = geteuid() == 0 ? ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"] : []
        if geteuid() == 0 { try Command.tool("/usr/bin/chown", "-R", "\(user):\(user)", directory) }
        process.executableURL = URL(fileURLWithPath: (drop + shell)[0])
        process.arguments = Array((drop + shell).dropFirst())
        process.environment = [
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "FIREBIRD": directory, "FIREBIRD_LOCK": directory + "/lock",
            "FIREBIRD_TMP": directory + "/data", "HOME": directory,
        ]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try awaitAnswer()
        try awaitConnection()
    }

    private func prepare() throws {
        let manager = FileManager.default
        for name in ["UDF", "firebird.msg", "intl", "plugins", "plugins.conf", "lib"] {
            try manager.createSymbolicLink(
                atPath: "\(directory)/\(name)", withDestinationPath: "\(Self.system)/\(name)")
        }
        for name in ["data", "lock"] {
            try manager.createDirectory(atPath: "\(directory)/\(name)", withIntermediateDirectories: false)
        }
        let settings = """
            RemoteServicePort = \(port)
            RemoteBindAddress = localhost
            SecurityDatabase = \(directory)/data/security3.fdb
            DatabaseAccess = Full
            AuthServer = Srp
            UserManager = Srp

            """
        try settings.write(toFile: "\(directory)/firebird.conf", atomically: true, encoding: .utf8)
        try "".write(toFile: "\(directory)/databases.conf", atomically: true, encoding: .utf8)
        chmod(directory, 0o755)
    }

    private static func freePort() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard found else { throw Problem(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private func awaitAnswer() throws {
        guard output.fileHandleForReading.availableData.starts(with: Data("ok".utf8)) else {
            throw Problem(description: "the shell that starts the Firebird server of \(directory) has failed")
        }
    }

    private func awaitConnection() throws {
        let end = Date().addingTimeInterval(30)
        while Date() < end {
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(socket) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, length) == 0 }
            }
            if connected { return }
            poll(nil, 0, 10)
        }
        throw Problem(description: "the Firebird server of \(directory) does not listen")
    }

    private func tell(_ order: String) throws {
        lock.lock()
        defer { lock.unlock() }
        try input.fileHandleForWriting.write(contentsOf: Data("\(order)\n".utf8))
        try awaitAnswer()
    }

    /// Ends the server as a power cut does.
    public func kill() throws { try tell("kill") }

    /// Lets it answer nobody, until ``thaw()``.
    public func freeze() throws { try tell("signal STOP") }

    /// Lets it go on.
    public func thaw() throws { try tell("signal CONT") }

    /// Starts it again.
    public func start() throws {
        try tell("start")
        try awaitConnection()
    }

    /// A new database with the table `pay(id, name)` and two rows.
    ///
    /// - Returns: its path.
    public func newDatabase() throws -> String {
        let number = lock.withLock {
            databases += 1
            return databases
        }
        let path = "\(directory)/data/\(number).fdb"
        try tell("copy \(path)")
        return path
    }

    /// A database's URL, for the owner.
    public func url(_ path: String) -> String { "firebird://\(Self.user)@localhost:\(port)/\(path)" }

    // MARK: isql

    /// Runs statements in isql.
    ///
    /// - Parameters:
    ///   - path: on this server.
    ///   - isOwner: whether isql runs no triggers on connections, which only the owner may ask for.
    /// - Returns: the rows that it shows, their columns joined by `|`, without blanks.
    @discardableResult
    public func isql(_ statements: String, _ path: String, asOwner isOwner: Bool = false) throws -> String {
        let place = "inet://localhost:\(port)/\(path)"
        return try Self.isql(statements, in: place, Self.user, Self.password, options: isOwner ? ["-nod"] : [])
    }

    /// Runs statements in isql.
    ///
    /// - Parameter database: as Firebird's programs take it.
    @discardableResult
    public static func isql(
        _ statements: String, in database: String, _ user: String = user, _ password: String = "",
        options: [String] = []
    ) throws -> String {
        let isql = ISQL(database, user, password)
        isql.process.arguments = options + (isql.process.arguments ?? [])
        try isql.process.run()
        try isql.write("SET HEADING OFF;\n\(statements)\n")
        try isql.input.fileHandleForWriting.close()
        let said = isql.output.fileHandleForReading.readDataToEndOfFile()
        isql.process.waitUntilExit()
        let text = String(decoding: said, as: UTF8.self)
        guard isql.process.terminationStatus == 0 else { throw Problem(description: "\(statements): \(text)") }
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: "|") }
        return lines.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// Somebody who has the database in use.
    public func holder(_ statements: String, _ path: String) throws -> Holder {
        try Holder(statements, ISQL("inet://localhost:\(port)/\(path)", Self.user, Self.password))
    }

    /// Somebody whose process has a database file open, without a server.
    public static func fileHolder(_ statements: String, _ path: String) throws -> Holder {
        try Holder(statements, ISQL(path, "SYSDBA", ""))
    }

    fileprivate final class ISQL {
        let process = Process()
        let input = Foundation.Pipe()
        let output = Foundation.Pipe()

        init(_ database: String, _ user: String, _ password: String) {
            // One that was ended reads no more, which is no reason to end the tests.
            signal(SIGPIPE, SIG_IGN)
            process.executableURL = URL(fileURLWithPath: "/usr/bin/isql-fb")
            process.arguments = ["-q", "-bail", "-merge", "-ch", "UTF8"] + (database.isEmpty ? [] : [database])
            process.environment = ["ISC_USER": user, "ISC_PASSWORD": password, "PATH": "/usr/bin:/bin"]
            process.standardInput = input
            process.standardOutput = output
            process.standardError = output
        }

        func write(_ text: String) throws { try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }
    }

    /// isql in the middle of something: it has run statements and waits for more. Ends with its last user.
    public final class Holder {
        private let isql: ISQL

        /// What it is told last; returns when it was done.
        fileprivate init(_ statements: String, _ isql: ISQL) throws {
            self.isql = isql
            try isql.process.run()
            try isql.write("\(statements)\nSELECT 'HELD' FROM RDB$DATABASE;\n")
            var said = Data()
            while !String(decoding: said, as: UTF8.self).contains("HELD ") {
                let more = isql.output.fileHandleForReading.availableData
                guard !more.isEmpty else {
                    throw Problem(description: "isql: \(String(decoding: said, as: UTF8.self))")
                }
                said += more
            }
        }

        /// Its process.
        public var pid: Int32 { isql.process.processIdentifier }

        /// Runs more, lets go, and returns what it said when it is gone.
        @discardableResult
        public func leave(_ statements: String = "") -> String {
            try? isql.write("\(statements)\n")
            try? isql.input.fileHandleForWriting.close()
            let said = isql.output.fileHandleForReading.readDataToEndOfFile()
            isql.process.waitUntilExit()
            return String(decoding: said, as: UTF8.self)
        }

        deinit { if isql.process.isRunning { leave() } }
    }
}
