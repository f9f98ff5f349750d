import PatchModel

/// A folder's database on a MariaDB server, named by a `mariadb:` URL.
struct MariaDBDatabase: Database {
    let address: MariaDBAddress
    /// `ENDPOINT/FOLDER`.
    let name: String

    /// The kind of its sessions.
    var sessions: any Session.Type { MariaDBSession.self }

    /// Connects to nothing yet.
    ///
    /// - Parameter home: of the folder's owner, as whom this process runs.
    /// - Throws: with the code `database` where the client library is not installed.
    init(
        _ server: DatabaseServer, as login: DatabaseLogin, home: String? = MariaDBAddress.home
    ) throws(SQLError) {
        address = try MariaDBAddress(server, as: login, home: home)
        name = login.name
    }

    /// Opens a session. A database that is not there is never created: that is for who gives out its rights.
    func open(lockTimeout: Double, create: Bool) throws(SQLError) -> any Session {
        try MariaDBSession(self, lockTimeout: lockTimeout)
    }

    var errors: MariaDBErrors { MariaDBErrors(place: address.place) }

    /// The oldest server whose statements take effect whole or not at all, also when it is killed (MDEV-17567).
    private static let oldest = (10, 6)

    /// A connection on which nothing waits longer than `lockTimeout` seconds for a lock, and which nothing but patchd ends.
    func connect(lockTimeout: Double) throws(SQLError) -> MariaDBConnection {
        do throws(MariaDBFailure) {
            let connection = try MariaDBConnection.open(
                address, attributes: [("program_name", "patchd"), ("patchd_folder", name)])
            var texts: [String?] = []
            // The character set of a my.cnf may be another.
            try connection.run("SET NAMES utf8mb4")
            try connection.run("SELECT VERSION(), @@sql_mode") { texts = $0 }
            try check(texts.first.flatMap { $0 } ?? "")
            // Scripts are cut into statements as if these were not set; where one sets them itself, they count.
            let modes = (texts.last.flatMap { $0 } ?? "").split(separator: ",").filter {
                !["NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI"].contains($0)
            }
            try connection.run(
                "SET SESSION sql_mode = '\(modes.joined(separator: ","))', autocommit = 1, wait_timeout = 86400, "
                    + "max_statement_time = 0, idle_transaction_timeout = 0, \(Self.limits(lockTimeout))")
            // What others() knows patchd's own sessions by.
            try connection.run("DO GET_LOCK(CONCAT('\(Self.sessionLock)', CONNECTION_ID()), 0)")
            return connection
        } catch {
            throw errors.error(error, "open the database \(address.place)")
        }
    }

    /// A lock of this name and a session's number is held by each session of patchd's.
    static let sessionLock = "patchd-session:"

    /// The settings that keep a session from waiting for locks, without a SET in front: whole seconds, one at least.
    static func limits(_ lockTimeout: Double) -> String {
        let seconds = Int(max(1, min(lockTimeout.rounded(.up), 3600)))
        return "lock_wait_timeout = \(seconds), innodb_lock_wait_timeout = \(seconds)"
    }

    private func check(_ version: String) throws(MariaDBFailure) {
        let numbers = version.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
        guard version.contains("MariaDB"), numbers.count == 2, (numbers[0], numbers[1]) >= Self.oldest else {
            throw MariaDBFailure(
                number: 2054, state: "HY000",
                message: "it is version \(version); patchd needs MariaDB \(Self.oldest.0).\(Self.oldest.1) or later")
        }
    }
}
