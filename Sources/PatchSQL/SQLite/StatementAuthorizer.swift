import CSQLite
import Glibc

/// Watches over the statements of a script: denies what no script may do, ends what takes too long, notes what would
/// still be felt by the next script. Only SQLite's callbacks and its connection use it, all on one thread.
final class StatementAuthorizer {
    /// Whether the statements are a script's; patchd's own are not restricted.
    var isWatching = false
    /// Whether the script's own BEGIN, COMMIT and ROLLBACK are denied.
    var keepsTransaction = false
    /// When a statement is interrupted, in seconds of the monotonic clock.
    var deadline = Double.infinity
    /// Whether it is interrupted before that.
    private var shouldEnd: () -> Bool = { false }
    /// What was denied last.
    private(set) var denial: String?
    /// Whether a setting was changed or a temporary object made.
    private(set) var isTainted = false

    /// Starts to watch a statement.
    func watch(keepsTransaction: Bool, seconds: Double, shouldEnd: @escaping () -> Bool) {
        isWatching = true
        self.keepsTransaction = keepsTransaction
        deadline = Self.now + seconds
        self.shouldEnd = shouldEnd
        denial = nil
    }

    /// The statement has ended.
    func rest() {
        isWatching = false
        deadline = .infinity
    }

    /// Seconds of the monotonic clock.
    static var now: Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// What is looked at; the others (rows, columns, tables) are many, and allowed.
    private static func concerns(_ action: Int32) -> Bool {
        switch action {
        case SQLITE_ATTACH, SQLITE_FUNCTION, SQLITE_TRANSACTION, SQLITE_PRAGMA, SQLITE_CREATE_TEMP_INDEX,
            SQLITE_CREATE_TEMP_TABLE, SQLITE_CREATE_TEMP_TRIGGER, SQLITE_CREATE_TEMP_VIEW:
            true
        default: false
        }
    }

    private func allows(_ action: Int32, _ name: String?, _ second: String) -> Bool {
        let first = name ?? ""
        switch action {
        // VACUUM itself attaches a database with an empty name; a name that is computed comes as nil.
        case SQLITE_ATTACH where name != "": denial = "it attaches another database, \(name ?? "a computed name")"
        case SQLITE_FUNCTION where second.lowercased() == "load_extension": denial = "it loads an extension"
        case SQLITE_TRANSACTION where keepsTransaction:
            denial = "it says \(first) within the transaction that holds the script together"
        case SQLITE_PRAGMA where ["busy_timeout", "temp_store_directory"].contains(first.lowercased()):
            denial = "PRAGMA \(first) is patchd's own"
        case SQLITE_PRAGMA where !second.isEmpty: isTainted = true
        case SQLITE_CREATE_TEMP_INDEX, SQLITE_CREATE_TEMP_TABLE, SQLITE_CREATE_TEMP_TRIGGER, SQLITE_CREATE_TEMP_VIEW:
            isTainted = true
        default: break
        }
        return denial == nil
    }

    /// sqlite3_set_authorizer().
    static let authorize:
        @convention(c) (
            UnsafeMutableRawPointer?, Int32, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?,
            UnsafePointer<CChar>?
        ) -> Int32 = { context, action, first, second, _, _ in
            guard let context else { return SQLITE_DENY }
            let authorizer = Unmanaged<StatementAuthorizer>.fromOpaque(context).takeUnretainedValue()
            guard authorizer.isWatching, concerns(action) else { return SQLITE_OK }
            let texts = [first, second].map { $0.map { String(cString: $0) } }
            return authorizer.allows(action, texts[0], texts[1] ?? "") ? SQLITE_OK : SQLITE_DENY
        }

    /// sqlite3_progress_handler().
    static let shouldStop: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { context in
        guard let context else { return 0 }
        let authorizer = Unmanaged<StatementAuthorizer>.fromOpaque(context).takeUnretainedValue()
        guard authorizer.isWatching else { return 0 }
        return authorizer.deadline < Double.infinity && now >= authorizer.deadline || authorizer.shouldEnd() ? 1 : 0
    }
}
