import Foundation
import PatchModel
import PatchStore
import Testing

@Suite struct `A folder's history` {
    let store: Store
    private let place = "endpoints/payroll/SEED.history.jsonl"
    private var state: StateDirectory { store.state }

    init() throws {
        store = try Store()
        try FileManager.default.createDirectory(
            atPath: "\(store.path)/endpoints/payroll", withIntermediateDirectories: true)
    }

    private func record(_ job: Int, _ end: FolderJob.State = .done) throws {
        let entry = HistoryEntry(
            job: job, operation: .apply, update: "X", from: nil, to: Version("8.0.2"), state: end, at: .now)
        try state.record(entry, folder: "SEED", of: "payroll")
    }

    private var jobs: [String] {
        get throws { try state.history("SEED", of: "payroll").map { "\($0.job) \($0.state)" } }
    }

    @Test func `has a line a job, with its last end`() throws {
        for (job, end) in [(1, FolderJob.State.done), (1, .done), (2, .failed), (2, .failed), (2, .done)] {
            try record(job, end)
        }
        #expect(try jobs == ["1 done", "2 done"])
    }

    @Test func `goes on behind a line that was cut at any byte`() throws {
        try record(1)
        try record(2)
        let whole = Array(try store.read(place).utf8)
        let first = try #require(whole.firstIndex(of: 0x0a)) + 1
        for length in first..<whole.count {
            try store.write(String(decoding: whole.prefix(length), as: UTF8.self), place)
            try record(3)
            #expect(try jobs == ["1 done", "3 done"], "\(length)")
        }
    }

    @Test func `of 5,000 jobs is not read to record another`() throws {
        try record(1)
        let line = try store.read(place)
        try store.write("damaged\n" + String(repeating: line, count: 5000), place)
        try record(2)
        #expect(try store.read(place).hasSuffix("\n"))
        #expect(throws: StoreError.self) { try jobs }
    }

    @Test func `keeps what later jobs have to know of an update`() throws {
        var plan = try Store.plan("SEED", files: 1)
        plan.hasDatabase = true
        let entry = HistoryEntry(
            job: 1, operation: .apply, update: "X", from: nil, to: plan.to, state: .done, at: .now,
            effect: .init(plan, of: "X"))
        try state.record(entry, folder: "SEED", of: "payroll")
        let effect = try #require(try state.history("SEED", of: "payroll").first?.effect)
        #expect(effect.patches == ["P": true])
        #expect(effect.scripts.map(\.key.script) == ["8.0.2.sql"] && effect.scripts[0].version == plan.to)
    }
}
