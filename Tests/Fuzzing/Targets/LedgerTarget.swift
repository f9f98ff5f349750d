import PatchFiles
import PatchModel

@testable import PatchLedger

/// A ledger, which a folder's owner may write as he likes: as it is, and its lines as records with their right checksums.
enum LedgerTarget {
    static func run(_ bytes: [UInt8]) throws {
        let file = try File.inMemory(bytes)
        _ = try? Ledger.read(file)
        _ = try? Ledger.summary(of: file)
        _ = try? OlderLedger(file)
        var whole: [UInt8] = []
        var number = 0
        for line in bytes.lines {
            guard let record = LedgerRecord(fields: FieldLine.fields(line[...])) else { continue }
            try hold(LedgerRecord(fields: record.fields) == record, "\(record) is not read again as it was written")
            whole += LedgerScan.line(line, number: number)
            number += 1
        }
        let made = try File.inMemory(whole)
        let summary: LedgerSummary
        do throws(LedgerError) { summary = try Ledger.summary(of: made) } catch {
            // More than a job makes of it is no ledger.
            guard case .tooLarge = error else { throw FuzzFailure(description: "\(error)") }
            return
        }
        try hold(summary.isEmpty == (number == 0), "a ledger of \(number) records is empty, or not")
    }
}
