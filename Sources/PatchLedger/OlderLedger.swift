public import PatchFiles
import PatchJSON
public import PatchModel

/// A ledger of before orders had files of their own: a line a record, `<length> <checksum> <JSON>`, the order the first of
/// them. It is read once, when its order is put beside it and the rest is rewritten.
public struct OlderLedger {
    /// What was to be done; nil for an empty ledger.
    public private(set) var order: WorkOrder?
    /// All that was recorded behind it.
    public private(set) var records: [LedgerRecord] = []

    /// More than any such ledger had.
    private static let sizeLimit: Int64 = 512 << 20
    /// Lines that are tried behind one that is torn.
    private static let triedLines = 64

    /// Whether a file is such a ledger.
    public static func isOne(_ file: borrowing File) throws(LedgerError) -> Bool {
        let first = try LedgerScan.asking { () throws(FileError) in try file.read(limit: 1) }
        return first.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
    }

    /// Reads one; a torn tail is left out.
    public init(_ file: borrowing File) throws(LedgerError) {
        let size = try LedgerScan.asking { () throws(FileError) in try file.status().size }
        guard size <= Self.sizeLimit else { throw .tooLarge(path: file.path, record: 0) }
        let bytes = try LedgerScan.asking { () throws(FileError) in try file.read(limit: Int(size)) }
        var at = 0
        var number = 0
        while at < bytes.count, let (json, next) = Self.record(in: bytes, at: at, number: number) {
            do { try take(json) } catch { throw .unknown(path: file.path, record: number, "\(error)") }
            at = next
            number += 1
        }
        let tail = bytes[at...]
        let wasWhole = tail.last == UInt8(ascii: "\n") && !tail.contains(0)
        if wasWhole || Self.hasRecord(in: bytes, after: at, number: number) {
            throw .damaged(path: file.path, record: number)
        }
    }

    /// What a ledger of today says in its place.
    public func write(to file: borrowing File) throws(LedgerError) {
        var follower = LedgerFollower()
        for record in records { try follower.append(record, to: file) }
    }

    private struct Begin: Decodable {
        struct Order: Decodable { var _0: WorkOrder }
        var begin: Order
    }

    private mutating func take(_ json: ArraySlice<UInt8>) throws {
        if json.starts(with: Array("{\"begin\"".utf8)) {
            order = try JSONText.read(Begin.self, json).begin._0
            return
        }
        let record = try JSONText.read(OlderRecord.self, json).record
        if case .staged(let slots) = record {
            let placed = slots.map { slot in
                // At first it was not said where: nothing could lead elsewhere.
                guard slot.place.isEmpty, let step = order?.plan.step(slot.step), !step.kind.isRun else { return slot }
                var placed = slot
                placed.place = step.path
                return placed
            }
            return records.append(.staged(placed))
        }
        records.append(record)
    }

    private static func checksum(_ json: ArraySlice<UInt8>, _ number: Int) -> String {
        String(SHA256.hash(of: Array("\(number):".utf8) + json).prefix(16))
    }

    /// The JSON of the record that begins at an offset, and where the next one begins; nil when there is none.
    private static func record(in bytes: [UInt8], at start: Int, number: Int) -> (ArraySlice<UInt8>, next: Int)? {
        let space = UInt8(ascii: " ")
        guard
            let first = bytes[start..<min(start + 12, bytes.count)].firstIndex(of: space),
            let length = Int(String(decoding: bytes[start..<first], as: UTF8.self)), length >= 0,
            length < bytes.count, first + 18 + length < bytes.count, bytes[first + 17] == space
        else { return nil }
        let json = bytes[(first + 18)..<(first + 18 + length)]
        guard bytes[first + 18 + length] == UInt8(ascii: "\n") else { return nil }
        let sum = String(decoding: bytes[(first + 1)..<(first + 17)], as: UTF8.self)
        return sum == checksum(json, number) ? (json, first + 19 + length) : nil
    }

    /// Whether a whole record stands somewhere behind a place that is none: then it is no torn tail. Its number is not
    /// known, so those are tried that it can have where lines in between are torn.
    private static func hasRecord(in bytes: [UInt8], after start: Int, number: Int) -> Bool {
        var at = start
        for line in 1...triedLines {
            guard let feed = bytes[at...].firstIndex(of: UInt8(ascii: "\n")), feed + 1 < bytes.count else {
                return false
            }
            at = feed + 1
            if (0...line).contains(where: { record(in: bytes, at: at, number: number + $0) != nil }) { return true }
        }
        return true
    }
}

/// The records as they stood in JSON.
private enum OlderRecord: Decodable {
    case surveyed(faults: [Fault], warnings: [String], equal: [Int])
    case read(statements: [Int: [String]])
    case backedUp(DatabaseBackup)
    case inUse(step: Int?, by: [Blocker], ends: Bool)
    case restored(job: Int)
    case staged([StepSlot])
    case prepared
    case started(step: Int, attempt: Int)
    case finished(steps: [Int])
    case warned(step: Int, message: String)
    case failed(step: Int?, code: FaultCode, message: String)
    case resumed
    case interrupted
    case done
    case reverting
    case undoing(job: Int, step: Int, attempt: Int)
    case undone(job: Int, steps: [Int])
    case reverted
    case forgotten
    case verified(changed: [String], missing: [String])
    case found(FolderFacts)

    var record: LedgerRecord {
        switch self {
        case .surveyed(let faults, let warnings, let equal):
            .surveyed(faults: faults, warnings: warnings, equal: equal)
        case .read(let statements): .read(statements: statements)
        case .backedUp(let backup): .backedUp(backup)
        case .inUse(let step, let blockers, let ends): .inUse(step: step, by: blockers, ends: ends)
        case .restored(let job): .restored(job: job)
        case .staged(let slots): .staged(slots)
        case .prepared: .prepared
        case .started(let step, let attempt): .started(step: step, attempt: attempt)
        case .finished(let steps): .finished(steps: steps)
        case .warned(let step, let message): .warned(step: step, message: message)
        case .failed(let step, let code, let message): .failed(step: step, code: code, message: message)
        case .resumed: .resumed
        case .interrupted: .interrupted
        case .done: .done
        case .reverting: .reverting
        case .undoing(let job, let step, let attempt): .undoing(job: job, step: step, attempt: attempt)
        case .undone(let job, let steps): .undone(job: job, steps: steps)
        case .reverted: .reverted
        case .forgotten: .forgotten
        case .verified(let changed, let missing): .verified(changed: changed, missing: missing)
        case .found(let facts): .found(facts)
        }
    }
}
