import Glibc
import PatchFiles
import PatchModel

/// A folder's Firebird database, named by a `firebird:` URL.
struct FirebirdDatabase: Database {
    let address: FirebirdAddress
    var sessions: any Session.Type { FirebirdSession.self }
    private let library: FirebirdLibrary

    /// A database on a server.
    init(_ server: DatabaseServer, _ login: DatabaseLogin) throws(SQLError) {
        address = try FirebirdAddress(server, login)
        library = try FirebirdLibrary()
    }

    /// A file that no server has open.
    init(file path: String, _ login: DatabaseLogin) throws(SQLError) {
        address = FirebirdAddress(file: path, login)
        FirebirdLocks.prepare()
        library = try FirebirdLibrary()
    }

    /// Opens a session.
    ///
    /// - Parameter create: has no effect: a database of Firebird's is made with its page size and character set, which
    ///   patchd does not know.
    func open(lockTimeout: Double, create: Bool) throws(SQLError) -> any Session {
        guard let file = address.file else { return try FirebirdSession(address, library, lockTimeout: lockTimeout) }
        guard access(file, F_OK) == 0 else {
            throw SQLError(
                .database, "open the database \"\(file)\"", String(cString: strerror(errno)),
                wayOut: "create it, or correct \"database\" in the endpoint's configuration")
        }
        let end = MonotonicClock.seconds + lockTimeout
        while true {
            do throws(SQLError) {
                return try open(file, lockTimeout: lockTimeout)
            } catch {
                // The engine does not wait: it has the whole file to itself, or it has not.
                guard error.code == .inUse, MonotonicClock.seconds < end else { throw error }
                MonotonicClock.wait(seconds: min(0.05, lockTimeout))
            }
        }
    }

    private func open(_ file: String, lockTimeout: Double) throws(SQLError) -> any Session {
        let others = OpenFile.others(with: file)
        guard others.isEmpty else {
            throw SQLError(
                .inUse, "open the database \"\(file)\"", "it is open", wayOut: "end what uses it", blockers: others)
        }
        return try FirebirdSession(address, library, lockTimeout: lockTimeout)
    }
}

/// Where Firebird's engine keeps its lock files when it runs in this process: a directory of the system's, which only the
/// server's group may write, unless `FIREBIRD_LOCK` names another. That each has its own does no harm: the engine locks
/// the database file itself, as ``FirebirdDatabase`` sees.
enum FirebirdLocks {
    private static let usual = "/tmp/firebird"
    /// The variable that the client library reads.
    static let name = "FIREBIRD_LOCK"

    /// Sets `FIREBIRD_LOCK` where nothing usable is set; the library reads it once.
    static func prepare() {
        guard getenv(name) == nil, access(usual, W_OK | X_OK) != 0 else { return }
        let own = "\(usual)-\(geteuid())"
        mkdir(own, 0o700)
        var found = stat()
        // Somebody else's directory or link of that name is not used; the engine says then that it has none.
        guard lstat(own, &found) == 0, found.st_mode == S_IFDIR | 0o700, found.st_uid == geteuid() else { return }
        setenv(name, own, 1)
    }
}
