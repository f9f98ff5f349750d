import Foundation
import PatchFiles
import PatchModel
import Testing

@testable import PatchLedger

/// A ledger file of its own, which goes with the value.
final class LedgerFile {
    let path = "/tmp/patchd-ledger-\(UInt64.random(in: .min ... .max))"

    deinit { unlink(path) }

    func file() throws -> File { try Directory.open("/tmp").appendingFile(String(path.dropFirst(5))) }

    func open() throws -> Ledger { try Ledger(file()) }

    func records() throws -> [LedgerRecord] { try Ledger.read(file()) }

    var bytes: [UInt8] { get throws { Array(try Data(contentsOf: URL(fileURLWithPath: path))) } }

    func put(_ bytes: some Sequence<UInt8>) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

    @discardableResult
    func write(_ records: [LedgerRecord]) throws -> [UInt8] {
        var ledger = try open()
        for record in records { try ledger.append(record) }
        return try bytes
    }
}

@Suite struct `A ledger` {
    let place = LedgerFile()
    let records: [LedgerRecord] = [
        .surveyed(faults: [], warnings: [], equal: [2]), .staged([.init(step: 0, inode: 7, replaces: nil, place: "a")]),
        .prepared,
        .finished(steps: [0]), .done,
    ]

    @Test func `gives back what was recorded`() throws {
        try place.write(records)
        #expect(try place.records() == records)
        #expect(try place.open().summary.outcome == .done)
    }

    @Test func `gives back every kind of record, whatever stands in its texts`() throws {
        let text = "a\tb\nc\\d \u{0} é \"{[=,"
        let blocker = Blocker(pid: 7, started: 9, command: text, unit: nil, writes: true)
        let registry = #"{"schema":1,"version":"8.0.2"}"#
        let all: [LedgerRecord] = [
            .surveyed(
                faults: [Fault(folder: text, .space, text), Fault(.io, "")], warnings: [text, ""],
                equal: [0, 1, 2, 9, 4000]),
            .surveyed(faults: [], warnings: [], equal: []), .read(statements: [3: [text, ""], 1: []]),
            .backedUp(DatabaseBackup(name: text, size: -1, sha256: "x", mode: "")),
            .inUse(step: nil, by: [blocker, Blocker(pid: nil, command: "", unit: "", writes: false)], ends: true),
            .inUse(step: 4, by: [], ends: false), .restored(job: 12),
            .staged([StepSlot(step: 1, inode: .max, replaces: 0, place: text, mount: "m")]), .stagedMore([]), .prepared,
            .started(step: 1, attempt: 2), .finished(steps: []), .warned(step: 0, message: text),
            .failed(step: nil, code: .sql, message: text), .failed(step: 0, code: .io, message: ""), .resumed,
            .interrupted, .done, .reverting, .undoing(job: 1, step: 2, attempt: 3), .undone(job: 1, steps: [7, 6, 5]),
            .reverted, .forgotten, .rehearsing(attempt: 2),
            .rehearsed(FolderRehearsal(folder: text, notRehearsed: text)),
            .verified(changed: [text], missing: ["", text]),
            .found(try FolderFacts(registryText: registry, registrySHA256: "s", present: [ExactText("a")])),
            .found(try FolderFacts()),
        ]
        try place.write(all)
        let expected = all.map { record in
            if case .undone(let job, _) = record { LedgerRecord.undone(job: job, steps: [5, 6, 7]) } else { record }
        }
        #expect(try place.records() == expected)
    }

    @Test func `has texts for people no longer than they read, as they go into job, state and lock`() throws {
        let long = String(repeating: "é", count: 1 << 20)
        let blocker = Blocker(pid: nil, command: long, unit: long, writes: true)
        try place.write([
            .surveyed(faults: [Fault(folder: long, .io, long)], warnings: [long], equal: []),
            .warned(step: 1, message: long), .inUse(step: nil, by: [blocker], ends: true),
            .failed(step: nil, code: .io, message: long),
        ])
        let summary = try Ledger.summary(of: place.file())
        let texts = try [
            summary.survey?.faults.first?.message, summary.survey?.faults.first?.folder, summary.survey?.warnings.first,
            summary.warnings[1], summary.inTheWay.first?.command, summary.inTheWay.first?.unit, summary.cause?.message,
        ].map { try #require($0) }
        #expect(texts.allSatisfy { $0.utf8.count <= 16 << 10 && $0.hasPrefix("éé") && $0.hasSuffix("é …") })
    }

    @Test(arguments: ["undone\t1\t0-99", "finished\t0-99", "surveyed\t0-99\t0"])
    func `of a few bytes that stands for more steps than any job has is too large, and read no further`(
        record: String
    ) throws {
        let lines = (0..<4).map { LedgerScan.line(Array(record.utf8), number: $0) }
        var follower = LedgerFollower(weightLimit: 300)
        try place.put(lines.prefix(3).joined())
        try follower.advance(place.file())
        #expect(follower.count == 3)
        try place.put(lines.joined())
        for _ in 1...2 { #expect(throws: LedgerError.self) { try follower.advance(place.file()) } }
        #expect(follower.count == 3)
    }

    @Test func `that is cut at any byte has the whole records before the cut, and can be gone on with`() throws {
        let whole = try place.write(records)
        for length in 0..<whole.count {
            try place.put(whole.prefix(length))
            let ends = whole.prefix(length).filter { $0 == 0x0a }.count
            var ledger = try place.open()
            #expect(try place.records() == Array(records.prefix(ends)))
            try ledger.append(.interrupted)
            #expect(try place.records() == Array(records.prefix(ends)) + [.interrupted])
        }
    }

    @Test func `with a changed byte in any record is damaged, says so, and is left as it is`() throws {
        let whole = try place.write(records)
        for index in whole.indices where whole[index] != 0x0a {
            var changed = whole
            changed[index] ^= 1
            try place.put(changed)
            #expect(throws: LedgerError.self, "byte \(index)") { _ = try place.open() }
            #expect(try place.bytes == changed)
        }
    }

    @Test func `with a record twice, or without one of the middle, is damaged`() throws {
        let lines = try place.write(records).split(separator: 0x0a).map { Array($0) + [0x0a] }
        for order in [[0, 0, 1, 2], [0, 2, 3], [1, 2], [0, 1, 2, 2]] {
            try place.put(order.flatMap { lines[$0] })
            #expect(throws: LedgerError.self, "\(order)") { _ = try place.records() }
        }
    }

    @Test func `with a torn record and whole ones behind it is damaged`() throws {
        let whole = try place.write(records)
        let first = try #require(whole.firstIndex(of: 0x0a))
        var torn = whole
        for index in (first - 8)..<(first + 1) { torn[index] = 0 }
        try place.put(torn)
        #expect(throws: LedgerError.self) { _ = try place.open() }
        #expect(try place.bytes == torn)
    }

    @Test func `with zeros at its end, as a power cut leaves them, is cut`() throws {
        let whole = try place.write(records)
        try place.put(whole + [UInt8](repeating: 0, count: 4096))
        _ = try place.open()
        #expect(try place.records() == records)
        #expect(try place.bytes == whole)
    }

    @Test func `writes many slots in records of bounded size, and a list of steps as ranges`() throws {
        let slots = (0..<10_000).map { StepSlot(step: $0, inode: UInt64($0), replaces: nil, place: "f\($0)") }
        try place.write([.staged(slots), .prepared, .finished(steps: Array(0..<10_000))])
        let written = try place.records()
        #expect(written.count == 5)
        #expect(LedgerSummary(written).slots.count == 10_000)
        #expect(LedgerSummary(written).finished.count == 10_000)
        #expect(try place.bytes.count < 10_000 * 32)
        // Before it is prepared, a staging that starts again replaces all of them.
        #expect(LedgerSummary(Array(written.prefix(3)) + [.staged([slots[0]])]).slots.count == 1)
    }

    @Test(.timeLimit(.minutes(1))) func `is refused at once when its file was made 1 TiB long`() throws {
        let whole = try place.write(records)
        for size in [1 << 40, 200 << 20] {
            try #require(truncate(path, off_t(size)) == 0)
            guard case .tooLarge = #expect(throws: LedgerError.self, performing: { _ = try place.open() }) else {
                Issue.record("it is not told as too large")
                continue
            }
            #expect(throws: LedgerError.self) {
                var follower = LedgerFollower()
                try follower.advance(place.file())
            }
        }
        try #require(truncate(path, off_t(whole.count)) == 0)
        #expect(try place.records() == records)
    }

    private var path: String { place.path }

    @Test func `does not believe a length that is larger than any record's`() throws {
        for length in [LedgerScan.recordLimit + 1, 1 << 41, Int.max] {
            try place.put(Array("+0 \(length) 0123456789abcdef x\n".utf8))
            #expect(throws: LedgerError.self) { _ = try place.open() }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `is read in one pass, however many lines look like records`() throws {
        let line = Array("+7 1 0123456789abcdef x".utf8)
        try place.put((0..<30_000).flatMap { _ in [0x0a] + line })
        #expect(throws: LedgerError.self) { _ = try place.open() }
        try place.put([UInt8](repeating: 0x0a, count: 1 << 20) + [0])
        _ = try place.open()
        #expect(try place.bytes.isEmpty)
    }

    @Test func `with numbers that would fill memory, or with brackets without end, is none`() throws {
        for text in [
            "finished\t0-3999999999", "finished\t5-3", "started\t99999999999\t1",
            "[" + String(repeating: "[", count: 100_000),
        ] {
            try place.put(LedgerScan.line(Array(text.utf8), number: 0))
            guard case .unknown = #expect(throws: LedgerError.self, performing: { _ = try place.open() }) else {
                Issue.record("\(text.prefix(20)) is taken for a record")
                continue
            }
        }
    }

    @Test func `does not take a record that is too large to be read again`() throws {
        var ledger = try place.open()
        let message = String(repeating: "x", count: LedgerScan.recordLimit)
        #expect(throws: LedgerError.self) { try ledger.append(.warned(step: 0, message: message)) }
        #expect(try place.bytes.isEmpty)
    }
}

@Suite struct `Who follows a ledger` {
    let place = LedgerFile()

    @Test func `knows after each record what a full read says, and reads nothing twice`() throws {
        let records: [LedgerRecord] = [
            .surveyed(faults: [], warnings: ["w"], equal: [1]),
            .staged([StepSlot(step: 0, inode: 1, replaces: nil, place: "a")]), .prepared, .started(step: 0, attempt: 1),
            .finished(steps: [0]), .failed(step: 2, code: .script, message: "no"), .resumed, .finished(steps: [2, 3]),
            .done,
        ]
        var ledger = try place.open()
        var follower = LedgerFollower()
        for (number, record) in records.enumerated() {
            try ledger.append(record)
            try follower.advance(place.file())
            let full = try Ledger.summary(of: place.file())
            #expect(follower.count == number + 1)
            #expect(follower.summary.outcome == full.outcome && follower.summary.finished == full.finished)
            #expect(follower.summary.slots == full.slots && follower.summary.equal == full.equal)
            // Were it read again, the change would be found.
            var bytes = try place.bytes
            bytes[1] = UInt8(ascii: "9")
            try place.put(bytes)
            try follower.advance(place.file())
            bytes[1] = UInt8(ascii: "0")
            try place.put(bytes)
        }
    }

    @Test func `leaves a record alone that is being written, at every byte, and reads it when it is there`() throws {
        let first = try place.write([.prepared])
        let both = try place.write([.finished(steps: [1])])
        for length in first.count..<both.count {
            try place.put(both.prefix(length))
            var follower = LedgerFollower()
            try follower.advance(place.file())
            #expect(follower.count == 1)
            #expect(try place.bytes.count == length)
            try place.put(both)
            try follower.advance(place.file())
            #expect(follower.summary.finished == [1])
        }
    }

    @Test func `says that a ledger is damaged which has become shorter`() throws {
        let whole = try place.write([.prepared, .done])
        var follower = LedgerFollower()
        try follower.advance(place.file())
        try place.put(whole.prefix(whole.count - 3))
        #expect(throws: LedgerError.self) { try follower.advance(place.file()) }
    }

    @Test func `need not keep the slots`() throws {
        try place.write([.staged([StepSlot(step: 0, inode: 1, replaces: nil, place: "a")]), .prepared])
        var follower = LedgerFollower(keepsSlots: false)
        try follower.advance(place.file())
        #expect(follower.summary.slots.isEmpty && follower.summary.isPrepared)
    }
}

@Suite struct `A ledger of an older patchd` {
    let place = LedgerFile()

    private func lines(_ records: [String]) -> [UInt8] {
        records.enumerated().flatMap { number, json in
            let sum = SHA256.hash(of: Array("\(number):\(json)".utf8)).prefix(16)
            return Array("\(json.utf8.count) \(sum) \(json)\n".utf8)
        }
    }

    private let order =
        #"{"begin":{"_0":{"endpoint":"payroll","job":4,"plan":{"folder":"SEED","from":"8.0.1","patches":{},"path":"/srv/SEED","state":"pending","steps":[{"kind":"file","path":"lib/a","patch":"P","sha256":"","size":3,"source":"s"}],"to":"8.0.2"},"scriptTimeout":60,"update":"X"}}}"#

    @Test func `has its order and what was recorded, and becomes one of today's`() throws {
        try place.put(
            lines([
                order, #"{"surveyed":{"equal":[],"faults":[],"warnings":["w"]}}"#,
                #"{"staged":{"_0":[{"inode":5,"replaces":6,"step":0}]}}"#, #"{"prepared":{}}"#,
                #"{"finished":{"steps":[0]}}"#, #"{"failed":{"code":"script","message":"no","step":1}}"#,
            ]))
        #expect(try OlderLedger.isOne(place.file()))
        let older = try OlderLedger(place.file())
        #expect(older.order?.job == 4 && older.order?.plan.steps.count == 1)
        let new = LedgerFile()
        try older.write(to: new.file())
        #expect(try new.records() == older.records)
        #expect(try !OlderLedger.isOne(new.file()))
        let summary = try Ledger.summary(of: new.file())
        // At first it was not said where a file lies.
        #expect(summary.slots[0] == StepSlot(step: 0, inode: 5, replaces: 6, place: "lib/a"))
        #expect(summary.outcome == .failed(step: 1, code: .script, message: "no"))
    }

    @Test func `is damaged or torn as it was before`() throws {
        let whole = lines([order, #"{"prepared":{}}"#, #"{"done":{}}"#])
        for length in 1..<whole.count {
            try place.put(whole.prefix(length))
            let ends = whole.prefix(length).filter { $0 == 0x0a }.count
            #expect(try OlderLedger(place.file()).records.count == max(0, ends - 1))
        }
        for index in whole.indices where whole[index] != 0x0a {
            var changed = whole
            changed[index] ^= 1
            try place.put(changed)
            #expect(throws: LedgerError.self, "byte \(index)") { _ = try OlderLedger(place.file()) }
        }
    }
}
