public import PatchFiles
import PatchModel

/// Knows what a ledger says up to where it was read last, and reads on from there.
public struct LedgerFollower: Sendable {
    /// What the records so far come to.
    public private(set) var summary: LedgerSummary
    /// How many there are.
    public var count: Int { scan.number }
    private var scan = LedgerScan()
    /// Found out once: it is not read again.
    private var isTooLarge = false
    private let weightLimit: Int

    /// One that has read nothing.
    ///
    /// - Parameter keepsSlots: see ``LedgerSummary/init(keepsSlots:)``.
    public init(keepsSlots: Bool = true) { self.init(keepsSlots: keepsSlots, weightLimit: LedgerSummary.weightLimit) }

    /// The same with another bound; for tests.
    init(keepsSlots: Bool = true, weightLimit: Int) {
        summary = LedgerSummary(keepsSlots: keepsSlots)
        self.weightLimit = weightLimit
    }

    /// Reads what was recorded since. Somebody may be writing: a torn tail is left out and left alone.
    public mutating func advance(_ file: borrowing File) throws(LedgerError) {
        guard !isTooLarge else { throw .tooLarge(path: file.path, record: scan.number) }
        var reading = scan
        var summary = summary
        var count = reading.number
        do throws(LedgerError) {
            try reading.read(file) { (text) throws(LedgerError) in
                summary.note(try Ledger.record(text, number: count, path: file.path))
                guard summary.weight <= weightLimit else {
                    throw .tooLarge(path: file.path, record: count)
                }
                count += 1
            }
        } catch {
            isTooLarge = summary.weight > weightLimit
            throw error
        }
        scan = reading
        self.summary = summary
    }

    /// The same for who is alone with the ledger: a torn tail is cut off.
    public mutating func recover(_ file: borrowing File) throws(LedgerError) {
        try advance(file)
        guard scan.offset < scan.size else { return }
        let whole = scan.offset
        try LedgerScan.asking { () throws(FileError) in
            try file.truncate(to: whole)
            try file.sync()
        }
    }

    /// Appends a record, durably.
    mutating func append(_ record: LedgerRecord, to file: borrowing File) throws(LedgerError) {
        var text: [UInt8] = []
        FieldLine.append(record.fields, to: &text)
        guard text.count <= LedgerScan.recordLimit, scan.offset + Int64(text.count) < LedgerScan.sizeLimit else {
            throw .tooLarge(path: file.path, record: scan.number)
        }
        let line = LedgerScan.line(text, number: scan.number)
        try LedgerScan.asking { () throws(FileError) in
            try file.write(line)
            try file.sync()
        }
        scan = LedgerScan(offset: scan.offset + Int64(line.count), number: scan.number + 1)
        summary.note(record)
    }
}
