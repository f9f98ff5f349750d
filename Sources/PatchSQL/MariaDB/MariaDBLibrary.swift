import PatchModel

/// The functions of libmariadb that are used, with the types that its mysql.h gives them. A connection (`MYSQL *`) and a
/// result (`MYSQL_RES *`) are opaque here.
struct MariaDBLibrary: Sendable {
    typealias Row = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// Numbers of `enum mysql_option`.
    enum Option: Int32 {
        case connectTimeout = 0
        case defaultFile = 4
        case defaultGroup = 5
        case characterSet = 7
        case localInfile = 8
        case reconnect = 20
        case verifyCertificate = 21
        case certificateAuthority = 27
        case addAttribute = 33
        case enforceTLS = 38
        case nonBlocking = 6000
    }

    /// Bits that say what a call which would block waits for.
    enum Wait {
        static let read: Int32 = 1
        static let write: Int32 = 2
        static let exception: Int32 = 4
    }

    let initialize: @convention(c) (OpaquePointer?) -> OpaquePointer?
    let close: @convention(c) (OpaquePointer?) -> Void
    let setOption: @convention(c) (OpaquePointer?, Int32, UnsafeRawPointer?) -> Int32
    let setPair: @convention(c) (OpaquePointer?, Int32, UnsafeRawPointer?, UnsafeRawPointer?) -> Int32
    let connect:
        @convention(c) (
            OpaquePointer?, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?,
            UInt32, UnsafePointer<CChar>?, UInt
        ) -> OpaquePointer?
    let number: @convention(c) (OpaquePointer?) -> UInt32
    let message: @convention(c) (OpaquePointer?) -> UnsafePointer<CChar>?
    let state: @convention(c) (OpaquePointer?) -> UnsafePointer<CChar>?
    let socket: @convention(c) (OpaquePointer?) -> Int32
    let cipher: @convention(c) (OpaquePointer?) -> UnsafePointer<CChar>?
    let sessionID: @convention(c) (OpaquePointer?) -> UInt
    let fieldCount: @convention(c) (OpaquePointer?) -> UInt32
    let affectedRows: @convention(c) (OpaquePointer?) -> UInt64
    let useResult: @convention(c) (OpaquePointer?) -> OpaquePointer?
    let freeResult: @convention(c) (OpaquePointer?) -> Void
    let lengths: @convention(c) (OpaquePointer?) -> UnsafeMutablePointer<UInt>?
    let info: @convention(c) (OpaquePointer?, Int32, UnsafeMutableRawPointer?) -> CChar
    let queryStart: @convention(c) (UnsafeMutablePointer<Int32>?, OpaquePointer?, UnsafePointer<CChar>?, UInt) -> Int32
    let queryContinue: @convention(c) (UnsafeMutablePointer<Int32>?, OpaquePointer?, Int32) -> Int32
    let fetchStart: @convention(c) (UnsafeMutablePointer<Row?>?, OpaquePointer?) -> Int32
    let fetchContinue: @convention(c) (UnsafeMutablePointer<Row?>?, OpaquePointer?, Int32) -> Int32
    let nextStart: @convention(c) (UnsafeMutablePointer<Int32>?, OpaquePointer?) -> Int32
    let nextContinue: @convention(c) (UnsafeMutablePointer<Int32>?, OpaquePointer?, Int32) -> Int32

    /// Loaded once: its own preparation is not safe on two threads.
    private static let loaded = Result { () throws(SQLError) in try MariaDBLibrary() }

    /// The library.
    ///
    /// - Throws: with the code `database` where it is not installed.
    static func load() throws(SQLError) -> MariaDBLibrary { try loaded.get() }

    private init() throws(SQLError) {
        let library = try ClientLibrary("libmariadb.so.3", package: "libmariadb3")
        initialize = try library.function("mysql_init")
        close = try library.function("mysql_close")
        setOption = try library.function("mysql_options")
        setPair = try library.function("mysql_options4")
        connect = try library.function("mysql_real_connect")
        number = try library.function("mysql_errno")
        message = try library.function("mysql_error")
        state = try library.function("mysql_sqlstate")
        socket = try library.function("mysql_get_socket")
        cipher = try library.function("mysql_get_ssl_cipher")
        sessionID = try library.function("mysql_thread_id")
        fieldCount = try library.function("mysql_field_count")
        affectedRows = try library.function("mysql_affected_rows")
        useResult = try library.function("mysql_use_result")
        freeResult = try library.function("mysql_free_result")
        lengths = try library.function("mysql_fetch_lengths")
        info = try library.function("mariadb_get_info")
        queryStart = try library.function("mysql_real_query_start")
        queryContinue = try library.function("mysql_real_query_cont")
        fetchStart = try library.function("mysql_fetch_row_start")
        fetchContinue = try library.function("mysql_fetch_row_cont")
        nextStart = try library.function("mysql_next_result_start")
        nextContinue = try library.function("mysql_next_result_cont")
        let prepare = try library.function(
            "mysql_server_init",
            as: (@convention(c) (Int32, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Int32).self)
        guard prepare(0, nil, nil) == 0 else {
            throw SQLError(.database, "use libmariadb.so.3", "it cannot prepare itself")
        }
    }
}
