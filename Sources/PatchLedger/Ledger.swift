public import PatchFiles
import PatchModel

/// The write-ahead record of one job's steps in one folder, as its worker keeps it. What is to be done stands in the order
/// beside it.
///
/// A last record that is not whole is what a power cut leaves of a write that nobody relied on yet: it is cut off. Anything
/// else that is wrong stops the job.
public struct Ledger: ~Copyable {
    /// Slots of one record: what is written and read in one piece.
    static let slotsOfARecord = 4096

    private let file: File
    private var follower: LedgerFollower

    /// Reads a ledger and cuts a torn tail.
    ///
    /// - Parameter file: open for reading and appending.
    public init(_ file: consuming File) throws(LedgerError) {
        var follower = LedgerFollower()
        try follower.recover(file)
        self.follower = follower
        self.file = file
    }

    /// What was recorded.
    public var summary: LedgerSummary { follower.summary }

    /// Appends a record and makes it durable. After an error the ledger must not be written again by this process: what of
    /// it reached the disk is unknown.
    public mutating func append(_ record: LedgerRecord) throws(LedgerError) {
        guard case .staged(let slots) = record, slots.count > Self.slotsOfARecord else {
            return try follower.append(record, to: file)
        }
        for start in stride(from: 0, to: slots.count, by: Self.slotsOfARecord) {
            let part = Array(slots[start..<min(start + Self.slotsOfARecord, slots.count)])
            // Before the job is prepared a first record replaces all earlier ones, later it only adds.
            try follower.append(start == 0 ? .staged(part) : .stagedMore(part), to: file)
        }
    }

    /// All records, in order. For who has to know more than what they come to.
    public static func read(_ file: borrowing File) throws(LedgerError) -> [LedgerRecord] {
        var records: [LedgerRecord] = []
        var scan = LedgerScan()
        try scan.read(file) { (text) throws(LedgerError) in
            records.append(try record(text, number: records.count, path: file.path))
        }
        return records
    }

    /// What the records come to, read once.
    public static func summary(of file: borrowing File) throws(LedgerError) -> LedgerSummary {
        var follower = LedgerFollower()
        try follower.advance(file)
        return follower.summary
    }

    static func record(_ text: ArraySlice<UInt8>, number: Int, path: String) throws(LedgerError) -> LedgerRecord {
        let fields = FieldLine.fields(text)
        guard let record = LedgerRecord(fields: fields) else {
            throw .unknown(path: path, record: number, String(fields[0].prefix(40)))
        }
        return record
    }
}
