import Glibc
import PatchFiles

/// What PostgreSQL says when a call failed.
struct PostgreSQLFailure: Error {
    /// SQLSTATE, https://www.postgresql.org/docs/15/errcodes-appendix.html; empty where a connection was refused.
    var state = ""
    /// In the server's words.
    var message: String
    var detail = ""
    var hint = ""
    /// The character of the statement that it is about, from 1.
    var position: Int?
    /// Where in a function it happened.
    var context = ""

    /// The connection is gone.
    static let lost = "08006"
}

/// A connection to a server; closed when the value ends. No call waits without end: a statement can be cancelled, and a
/// connection is given up after ``connectSeconds``.
struct PostgreSQLConnection: ~Copyable {
    private let library: LibPQ
    private let handle: OpaquePointer
    private let notices = NoticeList()

    /// Seconds for a connection to one address.
    private static let connectSeconds = 10
    /// Seconds for which a server that starts or recovers is waited for.
    private static let startSeconds = 30.0

    /// Connects.
    ///
    /// - Parameter settings: libpq's parameters by name, in an order in which later ones win.
    init(_ library: LibPQ, _ settings: [(name: String, value: String)]) throws(PostgreSQLFailure) {
        let end = MonotonicClock.seconds + Self.startSeconds
        while true {
            do throws(PostgreSQLFailure) {
                handle = try Self.connect(library, settings)
                break
            } catch {
                // libpq has no code for it; this is the server's untranslated word for "I am starting or recovering".
                guard error.message.contains("the database system is"), !error.message.contains("shutting down"),
                    MonotonicClock.seconds < end
                else { throw error }
                MonotonicClock.wait(seconds: 0.2)
            }
        }
        self.library = library
        _ = library.setNoticeProcessor(
            handle,
            { context, text in
                guard let context, let text else { return }
                Unmanaged<NoticeList>.fromOpaque(context).takeUnretainedValue().add(String(cString: text))
            }, Unmanaged.passUnretained(notices).toOpaque())
    }

    deinit { library.finish(handle) }

    private static func connect(
        _ library: LibPQ, _ settings: [(name: String, value: String)]
    ) throws(PostgreSQLFailure) -> OpaquePointer {
        let all =
            [("connect_timeout", "\(connectSeconds)"), ("keepalives_idle", "30"), ("keepalives_interval", "10")]
            + settings
            + [("client_encoding", "UTF8")]
        let opened = CStrings.with(all.map(\.0)) { names in
            CStrings.with(all.map(\.1)) { values in library.connect(names, values, 0) }
        }
        guard let opened else { throw PostgreSQLFailure(message: "out of memory") }
        guard library.status(opened) == LibPQ.isConnected else {
            let message = Self.message(library, opened)
            library.finish(opened)
            throw PostgreSQLFailure(message: message)
        }
        return opened
    }

    private static func message(_ library: LibPQ, _ handle: OpaquePointer) -> String {
        let text = library.errorMessage(handle).map { String(cString: $0) } ?? ""
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " || $0 == "\t" } }
        return lines.isEmpty ? "the server ended the connection" : lines.joined(separator: "; ")
    }

    /// The process of the server that serves it.
    var backend: Int32 { library.backendPID(handle) }

    /// Whether a transaction is open, also one that failed and can only be rolled back.
    var isInTransaction: Bool { library.transactionStatus(handle) != LibPQ.Transaction.idle && isConnected }

    /// Whether one is open that can be committed.
    var canCommit: Bool { library.transactionStatus(handle) == LibPQ.Transaction.open }

    /// Whether the connection is usable as far as is known.
    var isConnected: Bool { library.status(handle) == LibPQ.isConnected }

    /// What the server said besides since the last call.
    func takeNotices() -> [String] { notices.take() }

    /// Runs one statement.
    ///
    /// - Parameters:
    ///   - values: for `$1`, `$2`…; nil is NULL. Nil: the statement goes as it is, and may be several.
    ///   - data: what `COPY … FROM stdin` reads.
    ///   - goesOn: asked again and again while the server works; false ends the statement.
    ///   - onRow: gets each row as it comes.
    /// - Returns: how many rows were inserted, changed or deleted.
    @discardableResult
    func run(
        _ text: String, _ values: [String?]? = nil, copying data: ArraySlice<UInt8>? = nil,
        goesOn: () -> Bool = { true }, onRow: ([String?]) -> Void = { _ in }
    ) throws(PostgreSQLFailure) -> Int {
        let isSent =
            values.map { values in
                CStrings.with(values) {
                    library.sendQueryParams(handle, text, CInt(values.count), nil, $0, nil, nil, 0)
                }
            } ?? library.sendQuery(handle, text)
        guard isSent == 1 else { throw lost() }
        _ = library.setSingleRowMode(handle)
        var changes = 0
        var failure: PostgreSQLFailure?
        while let result = try next(goesOn) {
            defer { library.clear(result) }
            switch library.resultStatus(result) {
            case LibPQ.ResultStatus.done:
                changes += library.changedRows(result).flatMap { Int(String(cString: $0)) } ?? 0
            // The end of the rows.
            case LibPQ.ResultStatus.rows: break
            case LibPQ.ResultStatus.row: onRow(row(result))
            case LibPQ.ResultStatus.copyIn: try copy(data ?? [])
            case LibPQ.ResultStatus.empty, LibPQ.ResultStatus.notice: break
            default: failure = failure ?? self.failure(result)
            }
        }
        if let failure { throw failure }
        return changes
    }

    /// The next result; nil when there is none left.
    private func next(_ goesOn: () -> Bool) throws(PostgreSQLFailure) -> OpaquePointer? {
        var isCancelled = false
        while library.isBusy(handle) != 0 {
            var source = pollfd(fd: library.socket(handle), events: Int16(POLLIN), revents: 0)
            poll(&source, 1, 100)
            guard library.consumeInput(handle) == 1 else { throw lost() }
            if !isCancelled, library.isBusy(handle) != 0, !goesOn() {
                cancel()
                isCancelled = true
            }
        }
        return library.getResult(handle)
    }

    private func cancel() {
        guard let order = library.getCancel(handle) else { return }
        var buffer = [CChar](repeating: 0, count: 256)
        _ = library.cancel(order, &buffer, CInt(buffer.count))
        library.freeCancel(order)
    }

    private func copy(_ data: ArraySlice<UInt8>) throws(PostgreSQLFailure) {
        var rest = data
        while !rest.isEmpty {
            let part = rest.prefix(1 << 16)
            let isSent = part.withUnsafeBytes { bytes in
                library.putCopyData(handle, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(bytes.count))
            }
            guard isSent == 1 else { throw lost() }
            rest = rest.dropFirst(part.count)
        }
        guard library.putCopyEnd(handle, nil) == 1 else { throw lost() }
    }

    private func row(_ result: OpaquePointer) -> [String?] {
        (0..<library.columns(result)).map { column in
            library.isNull(result, 0, column) != 0 ? nil : library.value(result, 0, column).map { String(cString: $0) }
        }
    }

    private func lost() -> PostgreSQLFailure {
        PostgreSQLFailure(state: PostgreSQLFailure.lost, message: Self.message(library, handle))
    }

    private func failure(_ result: OpaquePointer) -> PostgreSQLFailure {
        func field(_ code: CInt) -> String {
            library.resultErrorField(result, code).map { String(cString: $0) } ?? ""
        }
        let message = field(LibPQ.ErrorField.message)
        if message.isEmpty { return lost() }
        return PostgreSQLFailure(
            state: field(LibPQ.ErrorField.state), message: message, detail: field(LibPQ.ErrorField.detail),
            hint: field(LibPQ.ErrorField.hint), position: Int(field(LibPQ.ErrorField.position)),
            context: field(LibPQ.ErrorField.context))
    }
}

/// What a server says besides (`RAISE NOTICE`); the first of it. Only libpq's callback and its connection use it, on one
/// thread.
private final class NoticeList {
    private static let most = 20
    private var texts: [String] = []

    func add(_ text: String) {
        guard texts.count < Self.most else { return }
        texts += text.split(separator: "\n").prefix(1).map { String($0.prefix(1000)) }
    }

    func take() -> [String] {
        defer { texts = [] }
        return texts
    }
}
