import CFirebird
import Glibc

extension FirebirdFailure {
    /// What patchd itself finds wrong.
    init(_ message: String) { self.message = message }

    /// The server does not answer any more.
    static var silence: FirebirdFailure {
        var failure = FirebirdFailure("the server does not answer, and takes no new connection")
        failure.entries = [Entry(code: FirebirdErrors.Code.network)]
        return failure
    }
}

/// An attachment to a database; ended with its last user.
final class FirebirdConnection {
    let library: FirebirdLibrary
    /// Of the database: how its statements are read.
    private(set) var dialect: UInt16 = 3
    /// What Firebird knows it by.
    private(set) var id = 0
    var database: patch_fb_handle = 0
    private let status = UnsafeMutablePointer<patch_fb_status>.allocate(capacity: FirebirdFailure.length)

    /// A blob is read in pieces of this size; patchd shows and compares texts, so no more than ``blobLimit`` of them.
    private static let segmentSize: UInt16 = 32_000
    private static let blobLimit = 64 << 20

    /// Nil where there is no server to wait for.
    private var watchdog: FirebirdWatchdog?

    /// Attaches.
    ///
    /// - Parameter isWatched: false where who attaches has a limit of his own.
    init(
        _ address: FirebirdAddress, _ library: FirebirdLibrary, isWatched: Bool = true
    ) throws(FirebirdFailure) {
        self.library = library
        let parameters = address.parameters.map(CChar.init(bitPattern:))
        // The library takes SIGTERM for itself with the first attachment, and would end all of them on it.
        let handlers = SignalHandlers([SIGINT, SIGTERM])
        defer { handlers.restore() }
        try call { status in
            library.attach(status, 0, address.text, &database, Int16(clamping: parameters.count), parameters)
        }
        if isWatched, address.file == nil { watchdog = FirebirdWatchdog(database, address, library) }
        let wanted: [CChar] = [62, 22]  // isc_info_db_sql_dialect, isc_info_attachment_id
        var answer = [CChar](repeating: 0, count: 64)
        try call { library.databaseInfo($0, &database, Int16(wanted.count), wanted, Int16(answer.count), &answer) }
        var rest = answer.map(UInt8.init(bitPattern:))[...]
        while let item = rest.first, item != 1 {
            let number = Self.number(rest.dropFirst())
            if item == 62 { dialect = UInt16(clamping: number) } else if item == 22 { id = number }
            rest = rest.dropFirst(3 + Self.length(rest.dropFirst()))
        }
    }

    deinit {
        close()
        status.deallocate()
    }

    /// Whether it was not ended.
    var isOpen: Bool { database != 0 }

    /// Ends the attachment; every call fails then.
    func close() {
        if database != 0 { ignore { library.detach($0, &database) } }
        watchdog?.stop()
        database = 0
    }

    /// Two bytes of an answer, the lower one first.
    static func length(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.prefix(2).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// The number behind a length.
    static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.dropFirst(2).prefix(min(length(bytes), 8)).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    // MARK: Calls

    func call(_ body: (UnsafeMutablePointer<patch_fb_status>) -> patch_fb_status) throws(FirebirdFailure) {
        _ = try result(body)
    }

    /// A call whose result may be another than success without being a failure.
    func result(
        _ body: (UnsafeMutablePointer<patch_fb_status>) -> patch_fb_status
    ) throws(FirebirdFailure) -> Int {
        watchdog?.begin()
        let result = body(status)
        watchdog?.end()
        guard status[0] == 1, status[1] != 0, result != 0, result != 100 else { return result }
        if watchdog?.isSilent ?? false { throw .silence }
        throw FirebirdFailure(status, library)
    }

    /// A call on the way out, whose failure changes nothing.
    func ignore(_ body: (UnsafeMutablePointer<patch_fb_status>) -> patch_fb_status) {
        watchdog?.begin()
        _ = body(status)
        watchdog?.end()
    }

    /// Interrupts what runs; from another thread than the one that runs it.
    func cancel() {
        // The other thread is using this connection's own.
        var status = [patch_fb_status](repeating: 0, count: FirebirdFailure.length)
        var database = database
        _ = library.cancel(&status, &database, 3)  // fb_cancel_raise
    }

    // MARK: Blobs

    func text(ofBlob id: patch_fb_blob_id, _ transaction: FirebirdTransaction) throws(FirebirdFailure) -> String {
        var id = id
        var blob: patch_fb_handle = 0
        try call { library.openBlob($0, &database, &transaction.handle, &blob, &id, 0, nil) }
        defer { ignore { library.closeBlob($0, &blob) } }
        var bytes: [UInt8] = []
        var segment = [CChar](repeating: 0, count: Int(Self.segmentSize))
        while bytes.count < Self.blobLimit {
            var length: UInt16 = 0
            let result = library.readBlob(status, &blob, &length, Self.segmentSize, &segment)
            bytes += segment.prefix(Int(length)).map(UInt8.init(bitPattern:))
            if result == 335_544_367 { break }  // isc_segstr_eof
            // A segment that is longer than the buffer goes on in the next one.
            guard result == 0 || result == 335_544_366 else { throw FirebirdFailure(status, library) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func write(blob text: String, _ transaction: FirebirdTransaction) throws(FirebirdFailure) -> patch_fb_blob_id {
        var id = patch_fb_blob_id()
        var blob: patch_fb_handle = 0
        try call { library.createBlob($0, &database, &transaction.handle, &blob, &id, 0, nil) }
        var rest = text.utf8.map(CChar.init(bitPattern:))[...]
        while !rest.isEmpty {
            let segment = Array(rest.prefix(Int(Self.segmentSize)))
            try call { library.writeBlob($0, &blob, UInt16(segment.count), segment) }
            rest = rest.dropFirst(segment.count)
        }
        try call { library.closeBlob($0, &blob) }
        return id
    }
}
