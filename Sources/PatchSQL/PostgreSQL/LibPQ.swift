import Glibc

/// The functions of libpq that are used, as https://www.postgresql.org/docs/15/libpq.html describes them.
struct LibPQ: Sendable {
    typealias Handle = OpaquePointer
    typealias Texts = UnsafePointer<UnsafePointer<CChar>?>

    let connect: @convention(c) @Sendable (Texts, Texts, CInt) -> Handle?
    let finish: @convention(c) @Sendable (Handle) -> Void
    let status: @convention(c) @Sendable (Handle) -> CInt
    let transactionStatus: @convention(c) @Sendable (Handle) -> CInt
    let errorMessage: @convention(c) @Sendable (Handle) -> UnsafePointer<CChar>?
    let socket: @convention(c) @Sendable (Handle) -> CInt
    let backendPID: @convention(c) @Sendable (Handle) -> CInt
    let setNoticeProcessor:
        @convention(c) @Sendable (
            Handle, (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void)?,
            UnsafeMutableRawPointer?
        ) -> OpaquePointer?

    let sendQuery: @convention(c) @Sendable (Handle, UnsafePointer<CChar>) -> CInt
    let sendQueryParams:
        @convention(c) @Sendable (
            Handle, UnsafePointer<CChar>, CInt, UnsafePointer<CUnsignedInt>?, Texts?, UnsafePointer<CInt>?,
            UnsafePointer<CInt>?, CInt
        ) -> CInt
    let setSingleRowMode: @convention(c) @Sendable (Handle) -> CInt
    let consumeInput: @convention(c) @Sendable (Handle) -> CInt
    let isBusy: @convention(c) @Sendable (Handle) -> CInt
    let getResult: @convention(c) @Sendable (Handle) -> Handle?
    let putCopyData: @convention(c) @Sendable (Handle, UnsafePointer<CChar>?, CInt) -> CInt
    let putCopyEnd: @convention(c) @Sendable (Handle, UnsafePointer<CChar>?) -> CInt
    let getCancel: @convention(c) @Sendable (Handle) -> Handle?
    let freeCancel: @convention(c) @Sendable (Handle) -> Void
    let cancel: @convention(c) @Sendable (Handle, UnsafeMutablePointer<CChar>, CInt) -> CInt

    let resultStatus: @convention(c) @Sendable (Handle?) -> CInt
    let resultErrorField: @convention(c) @Sendable (Handle, CInt) -> UnsafePointer<CChar>?
    let clear: @convention(c) @Sendable (Handle) -> Void
    let rows: @convention(c) @Sendable (Handle) -> CInt
    let columns: @convention(c) @Sendable (Handle) -> CInt
    let value: @convention(c) @Sendable (Handle, CInt, CInt) -> UnsafePointer<CChar>?
    let isNull: @convention(c) @Sendable (Handle, CInt, CInt) -> CInt
    let changedRows: @convention(c) @Sendable (Handle) -> UnsafePointer<CChar>?

    /// Loads the library, the first time.
    ///
    /// - Throws: with the code `database` where it is not installed.
    init() throws(SQLError) {
        let library = try ClientLibrary("libpq.so.5", package: "libpq5")
        connect = try library.function("PQconnectdbParams")
        finish = try library.function("PQfinish")
        status = try library.function("PQstatus")
        transactionStatus = try library.function("PQtransactionStatus")
        errorMessage = try library.function("PQerrorMessage")
        socket = try library.function("PQsocket")
        backendPID = try library.function("PQbackendPID")
        setNoticeProcessor = try library.function("PQsetNoticeProcessor")
        sendQuery = try library.function("PQsendQuery")
        sendQueryParams = try library.function("PQsendQueryParams")
        setSingleRowMode = try library.function("PQsetSingleRowMode")
        consumeInput = try library.function("PQconsumeInput")
        isBusy = try library.function("PQisBusy")
        getResult = try library.function("PQgetResult")
        putCopyData = try library.function("PQputCopyData")
        putCopyEnd = try library.function("PQputCopyEnd")
        getCancel = try library.function("PQgetCancel")
        freeCancel = try library.function("PQfreeCancel")
        cancel = try library.function("PQcancel")
        resultStatus = try library.function("PQresultStatus")
        resultErrorField = try library.function("PQresultErrorField")
        clear = try library.function("PQclear")
        rows = try library.function("PQntuples")
        columns = try library.function("PQnfields")
        value = try library.function("PQgetvalue")
        isNull = try library.function("PQgetisnull")
        changedRows = try library.function("PQcmdTuples")
    }
}

extension LibPQ {
    /// ConnStatusType.
    static let isConnected: CInt = 0

    /// PGTransactionStatusType.
    enum Transaction { static let idle: CInt = 0, active: CInt = 1, open: CInt = 2, failed: CInt = 3 }

    /// ExecStatusType.
    enum ResultStatus {
        static let empty: CInt = 0, done: CInt = 1, rows: CInt = 2, copyOut: CInt = 3, copyIn: CInt = 4
        static let notice: CInt = 6, row: CInt = 9
    }

    /// The fields of an error, by the letters of the protocol.
    enum ErrorField {
        static let state = CInt(UInt8(ascii: "C")), message = CInt(UInt8(ascii: "M")), detail = CInt(UInt8(ascii: "D"))
        static let hint = CInt(UInt8(ascii: "H")), position = CInt(UInt8(ascii: "P"))
        static let context = CInt(UInt8(ascii: "W"))
    }
}
