import CFirebird

/// An open transaction; rolled back when its last user has gone, unless it was committed.
final class FirebirdTransaction {
    /// What it sees of others and how it waits for them.
    enum Kind {
        /// All statements see the same state, as in isql.
        case script
        /// What others committed is seen at once, and old row versions are held for nobody.
        case look
    }

    private let connection: FirebirdConnection
    var handle: patch_fb_handle = 0

    /// Begins one.
    ///
    /// - Parameter wait: seconds to wait for a lock; below one, none.
    init(_ connection: FirebirdConnection, _ kind: Kind, wait: Double) throws(FirebirdFailure) {
        self.connection = connection
        var parameters: [UInt8] = [3, 9]  // isc_tpb_version3, isc_tpb_write
        parameters += kind == .script ? [2] : [15, 17]  // concurrency; read_committed, rec_version
        if wait < 1 {
            parameters.append(7)  // nowait
        } else {
            let seconds = UInt32(min(wait, 3600))
            parameters += [6, 21, 4] + (0..<4).map { UInt8(seconds >> (8 * UInt32($0)) & 0xff) }  // wait, lock_timeout
        }
        let bytes = parameters.map(CChar.init(bitPattern:))
        try connection.call { status in
            bytes.withUnsafeBufferPointer { bytes in
                withUnsafeMutablePointer(to: &connection.database) { database in
                    var block = patch_fb_transaction_block(
                        database: database, length: bytes.count, parameters: bytes.baseAddress)
                    return connection.library.start(status, &handle, 1, &block)
                }
            }
        }
    }

    deinit { rollback() }

    /// Makes it durable. A failure leaves it open.
    func commit() throws(FirebirdFailure) { try connection.call { connection.library.commit($0, &handle) } }

    /// Takes it back. That this fails means that the connection is lost, and the server takes it back.
    func rollback() {
        if handle != 0 { connection.ignore { connection.library.rollback($0, &handle) } }
        handle = 0
    }
}
