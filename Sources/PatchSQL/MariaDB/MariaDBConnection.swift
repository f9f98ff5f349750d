import Glibc
import PatchFiles

/// What MariaDB or its client library says when a call failed.
struct MariaDBFailure: Error {
    /// MariaDB's error number; from 2000 to 2999, and from 5000 on, it is the client library's.
    var number: UInt32
    /// The SQLSTATE.
    var state: String
    /// In its words.
    var message: String

    /// Whether the server never answered: what it did is not known.
    var isFromClient: Bool { 2000..<3000 ~= number || number >= 5000 }
}

/// What is done while a statement runs.
struct StatementWatch {
    /// Called about ten times a second.
    ///
    /// - Returns: whether the statement is to be interrupted.
    var isOver: () -> Bool
    /// Interrupts it, from another connection.
    var interrupt: () -> Void

    /// Nothing: the statement takes as long as it takes.
    static var none: StatementWatch { StatementWatch(isOver: { false }, interrupt: {}) }
}

/// A connection to a server; closed when the value ends. It never connects again by itself: locks and settings would be
/// gone without a word.
///
/// The library's non-blocking calls are used, so that a statement can be interrupted while it runs.
struct MariaDBConnection: ~Copyable {
    private let library: MariaDBLibrary
    private let handle: OpaquePointer

    /// Seconds between two questions whether a statement is to be interrupted.
    private static let interval: Int32 = 100
    /// Seconds after an interruption until the connection is given up: the server does not answer any more.
    private static let patience = 30.0
    /// MARIADB_CONNECTION_SERVER_STATUS and SERVER_STATUS_IN_TRANS.
    private static let (serverStatus, inTransaction): (Int32, UInt32) = (30, 1)

    private init(_ library: MariaDBLibrary, _ handle: OpaquePointer) {
        self.library = library
        self.handle = handle
    }

    /// Connects.
    static func open(
        _ address: MariaDBAddress, attributes: [(String, String)]
    ) throws(MariaDBFailure) -> MariaDBConnection {
        guard let handle = address.library.initialize(nil) else {
            throw MariaDBFailure(number: 2008, state: "HY001", message: "out of memory")
        }
        let connection = MariaDBConnection(address.library, handle)
        try connection.connect(address, attributes)
        return connection
    }

    private func connect(_ address: MariaDBAddress, _ attributes: [(String, String)]) throws(MariaDBFailure) {
        address.configure(handle, attributes)
        let made = library.connect(
            handle, address.host, address.user, address.password, address.database, address.port, address.socket, 0)
        guard made != nil else { throw failure() }
        // What a my.cnf says must not lead to either.
        address.set(handle, .reconnect, flag: false)
        address.set(handle, .localInfile, number: 0)
        guard !address.requiresTLS || library.cipher(handle) != nil else {
            throw MariaDBFailure(number: 2026, state: "HY000", message: "the server offers no TLS")
        }
    }

    deinit { library.close(handle) }

    /// What the server knows this session by.
    var id: UInt { library.sessionID(handle) }

    /// Whether a transaction is open, as the server said last.
    var isInTransaction: Bool {
        var status: UInt32 = 0
        _ = library.info(handle, Self.serverStatus, &status)
        return status & Self.inTransaction != 0
    }

    /// Runs one statement and hands on each row of all its results.
    ///
    /// - Returns: how many rows were inserted, changed or deleted.
    @discardableResult
    func run(
        _ text: String, watch: StatementWatch = .none, onRow: ([String?]) -> Void = { _ in }
    ) throws(MariaDBFailure) -> Int {
        var waiting = Waiting(watch: watch)
        var text = text
        // The text has to stay where it is until the call has ended.
        let failed = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { bytes in
                var result: Int32 = 0
                var status = library.queryStart(&result, handle, bytes.baseAddress, UInt(bytes.count))
                while status != 0 { status = library.queryContinue(&result, handle, wait(status, &waiting)) }
                return result != 0
            }
        }
        if failed { throw failure() }
        var changes = try takeResult(&waiting, onRow)
        while true {
            var result: Int32 = 0
            var status = library.nextStart(&result, handle)
            while status != 0 { status = library.nextContinue(&result, handle, wait(status, &waiting)) }
            guard result <= 0 else { throw failure() }
            if result < 0 { return changes }
            changes += try takeResult(&waiting, onRow)
        }
    }

    private func takeResult(
        _ waiting: inout Waiting, _ onRow: ([String?]) -> Void
    ) throws(MariaDBFailure) -> Int {
        let columns = Int(library.fieldCount(handle))
        guard columns > 0 else {
            let changed = library.affectedRows(handle)
            return changed == .max ? 0 : Int(clamping: changed)
        }
        guard let result = library.useResult(handle) else { throw failure() }
        defer { library.freeResult(result) }
        while true {
            var row: MariaDBLibrary.Row?
            var status = library.fetchStart(&row, result)
            while status != 0 { status = library.fetchContinue(&row, result, wait(status, &waiting)) }
            guard let row, let lengths = library.lengths(result) else {
                guard library.number(handle) == 0 else { throw failure() }
                return 0
            }
            onRow(
                (0..<columns).map { column in
                    row[column].map { text in
                        let bytes = UnsafeRawBufferPointer(start: text, count: Int(lengths[column]))
                        return String(decoding: bytes, as: UTF8.self)
                    }
                })
        }
    }

    /// How the wait for one statement goes on.
    private struct Waiting {
        let watch: StatementWatch
        /// When it was interrupted.
        var interruptedAt: Double?
    }

    /// Waits until the socket is ready for what a call waits for.
    private func wait(_ status: Int32, _ waiting: inout Waiting) -> Int32 {
        let socket = library.socket(handle)
        var events: Int32 = 0
        if status & MariaDBLibrary.Wait.read != 0 { events |= POLLIN }
        if status & MariaDBLibrary.Wait.write != 0 { events |= POLLOUT }
        while true {
            var source = pollfd(fd: socket, events: Int16(events), revents: 0)
            if poll(&source, 1, Self.interval) > 0 {
                var ready: Int32 = 0
                if Int32(source.revents) & (POLLIN | POLLHUP | POLLERR) != 0 { ready |= MariaDBLibrary.Wait.read }
                if Int32(source.revents) & POLLOUT != 0 { ready |= MariaDBLibrary.Wait.write }
                return ready & status != 0 ? ready & status : status
            }
            let now = MonotonicClock.seconds
            if let interruptedAt = waiting.interruptedAt {
                // The call then fails as with a server that has gone.
                if now - interruptedAt > Self.patience { shutdown(socket, Int32(SHUT_RDWR)) }
            } else if waiting.watch.isOver() {
                waiting.interruptedAt = now
                waiting.watch.interrupt()
            }
        }
    }

    private func failure() -> MariaDBFailure {
        MariaDBFailure(
            number: library.number(handle), state: library.state(handle).map { String(cString: $0) } ?? "",
            message: library.message(handle).map { String(cString: $0) } ?? "error \(library.number(handle))")
    }
}
