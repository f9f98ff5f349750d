import Foundation
import PatchFiles
import PatchModel
import Testing

@testable import PatchLedger

@Suite struct `A ledger` {
    let path = "/tmp/patchd-ledger-\(UInt64.random(in: .min ... .max))"
    let records: [LedgerRecord] = [
        .surveyed(faults: [], warnings: [], equal: [2]), .staged([.init(step: 0, inode: 7, replaces: nil, place: "a")]),
        .prepared,
        .finished(steps: [0]), .done,
    ]

    private func open() throws -> Ledger {
        try Directory.open("/tmp").appendingFile(String(path.dropFirst(5))).ledger()
    }

    private func write() throws -> [UInt8] {
        var ledger = try open()
        for record in records { try ledger.append(record) }
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    @Test func `gives back what was recorded`() throws {
        defer { unlink(path) }
        _ = try write()
        #expect(try open().records == records)
        #expect(LedgerSummary(records).outcome == .done)
    }

    @Test func `that is cut at any byte has the whole records before the cut, and can be gone on with`() throws {
        defer { unlink(path) }
        let whole = try write()
        for length in 0..<whole.count {
            try Data(whole.prefix(length)).write(to: URL(fileURLWithPath: path))
            let ends = whole.prefix(length).filter { $0 == 0x0a }.count
            var ledger = try open()
            #expect(ledger.records == Array(records.prefix(ends)))
            try ledger.append(.interrupted)
            #expect(try open().records == Array(records.prefix(ends)) + [.interrupted])
        }
    }

    @Test func `with a changed byte in any record is damaged, says so, and is left as it is`() throws {
        defer { unlink(path) }
        let whole = try write()
        for index in whole.indices where whole[index] != 0x0a {
            var changed = whole
            changed[index] ^= 1
            try Data(changed).write(to: URL(fileURLWithPath: path))
            #expect(throws: LedgerError.self, "byte \(index)") { _ = try open().records }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(changed))
        }
    }

    @Test func `with a record twice, or without one of the middle, is damaged`() throws {
        defer { unlink(path) }
        let lines = try write().split(separator: 0x0a).map { Array($0) + [0x0a] }
        for order in [[0, 0, 1, 2], [0, 2, 3], [1, 2], [0, 1, 2, 2]] {
            try Data(order.flatMap { lines[$0] }).write(to: URL(fileURLWithPath: path))
            #expect(throws: LedgerError.self, "\(order)") { _ = try open().records }
        }
    }

    @Test func `with zeros at its end, as a power cut leaves them, is cut`() throws {
        defer { unlink(path) }
        let whole = try write()
        try Data(whole + [UInt8](repeating: 0, count: 4096)).write(to: URL(fileURLWithPath: path))
        #expect(try open().records == records)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == whole.count)
    }
}

extension File {
    fileprivate consuming func ledger() throws -> Ledger { try Ledger(self) }
}
