import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import PatchStore
import Testing

@testable import Supervisor

/// A state directory of its own, which goes with the value.
private final class State {
    let path = "/tmp/patchd-jobs-\(UInt64.random(in: .min ... .max))"
    var directory: StateDirectory { StateDirectory(path: path) }

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try directory.create()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func open() throws -> JobStore {
        try JobStore(directory, notices: NoticeQueue(), clocks: SystemClocks(), report: { _ in }, onChange: { _ in })
    }

    func remove(_ relative: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(relative)") }
}

@Suite struct `The store of jobs` {
    private let state: State
    private let manifest: Manifest

    init() throws {
        state = try State()
        manifest = try Manifest(
            strictJSON: Array(
                #"{"name":"X","version":"8.0.2","dependency":"8.0.1","patches":[{"name":"P","type":"$ROOT","path":"P","mandatory":true}]}"#
                    .utf8))
    }

    private func create(_ store: JobStore, _ claim: String) async throws -> Int {
        try await store.create(
            endpoint: "payroll", manifest: manifest, sha256: "s", options: UpdateOptions(), claim: claim)
    }

    /// A store after so many jobs that are over; one of them may have begun after the others, or not have ended.
    private func after(_ count: Int, last: Int? = nil, open: Int? = nil) async throws -> JobStore {
        let store = try state.open()
        for number in 1...count { _ = try await create(store, "c\(number)") }
        for number in (1...count).filter({ $0 != last }) + (last.map { [$0] } ?? []) {
            _ = try await store.begin(number)
            if number != open { try await store.apply(.end(nil, at: .now), to: number) }
        }
        return store
    }

    @Test func `knows after a start what is not over, and the newest, and loads others when they are asked for`()
        async throws
    {
        let store = try await after(130, open: 3)
        try await store.settle(Array(1...130))
        let again = try state.open()
        let known = await again.jobs.keys.sorted()
        #expect(known == [3] + Array(31...130))
        #expect(await again.job(7)?.state == .done)
        #expect(await again.job(131) == nil)
        // What is over is not even opened.
        try Data("{".utf8).write(to: URL(fileURLWithPath: "\(state.path)/jobs/7/job.json"))
        #expect(try state.open().damaged.isEmpty)
        #expect(try await create(again, "new") == 131)
    }

    @Test func `makes no second job of a claim, and gives no number twice, whatever was lost in a crash`() async throws
    {
        _ = try await after(2)
        // Killed after the index was written and before the job was made.
        try state.directory.write(JobIndex(next: 3, live: [1, 2, 3]))
        var store = try state.open()
        #expect(await store.jobs.keys.sorted() == [1, 2] && store.damaged.isEmpty)
        #expect(try await create(store, "c2") == 2)
        #expect(try await create(store, "c3") == 3)
        // Killed before the next number was written, which happens with the next job.
        store = try state.open()
        #expect(try await create(store, "c4") == 4)
        try state.remove("jobs/index.json")
        store = try state.open()
        #expect(await store.jobs.count == 4)
        #expect(try await create(store, "c5") == 5)
    }

    @Test func `counts a job without its file as damaged, and as one that has its number`() async throws {
        _ = try await after(2)
        try state.remove("jobs/2/job.json")
        let store = try state.open()
        #expect(store.damaged.map(\.job) == [2])
        #expect(try await create(store, "c3") == 3)
    }

    @Test func `knows the place of jobs that it let go of and that did not begin in their order`() async throws {
        let store = try await after(120, last: 2)
        try await store.settle([1, 2])
        #expect(await store.order(of: "payroll")[2] == 120)
        #expect(await store.order(of: "payroll")[1] == nil)
        #expect(try await state.open().order(of: "payroll")[2] == 120)
    }
}

@Suite struct `The ledgers of folders` {
    private let state: State
    private let ledgers: FolderLedgers
    private let file: String

    init() throws {
        state = try State()
        ledgers = FolderLedgers(state.directory)
        file = state.path + "/jobs/1/ledger/SEED"
        try state.directory.create(
            Job(
                job: 1, endpoint: "payroll", update: "X", version: try #require(Version("8.0.2")), sha256: "s",
                options: UpdateOptions(), claim: "", createdAt: .now))
    }

    private func writeOlder(_ records: [String]) throws {
        let order =
            #"{"begin":{"_0":{"endpoint":"payroll","job":1,"plan":{"folder":"SEED","patches":{},"path":"/srv/SEED","state":"pending","steps":[],"to":"8.0.2"},"scriptTimeout":60,"update":"X"}}}"#
        let lines = ([order] + records).enumerated().map { number, json in
            "\(json.utf8.count) \(SHA256.hash(of: Array("\(number):\(json)".utf8)).prefix(16)) \(json)\n"
        }
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: file))
    }

    @Test func `are empty where there is none, and none is made by looking`() throws {
        #expect(try ledgers.summary(1, "SEED").isEmpty)
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test func `of an older patchd are read while its worker lives, and converted when it has ended`() throws {
        try writeOlder([#"{"prepared":{}}"#])
        do {
            let worker = try File.open(file, O_RDWR)
            #expect(try worker.lock())
            #expect(try ledgers.summary(1, "SEED").isPrepared)
            #expect(try state.directory.order(job: 1, folder: "SEED") == nil)
            try writeOlder([#"{"prepared":{}}"#, #"{"done":{}}"#])
            #expect(try ledgers.summary(1, "SEED").outcome == .done)
        }
        #expect(try ledgers.summary(1, "SEED").outcome == .done)
        #expect(try state.directory.order(job: 1, folder: "SEED")?.update == "X")
        let ledger = try ledgers.lock(1, "SEED")
        #expect(try !OlderLedger.isOne(ledger))
        #expect(try ledgers.recover(ledger, 1, "SEED").count == 2)
    }

    @Test func `keep the order that the daemon wrote, whatever a ledger says`() throws {
        let order = WorkOrder(
            job: 1, endpoint: "payroll", update: "OWN", scriptTimeout: 5,
            plan: FolderPlan(
                folder: "SEED", parent: nil, path: "/srv", state: .pending, from: nil,
                to: try #require(Version("8.0.2"))))
        try state.directory.write(order, job: 1, folder: "SEED")
        try writeOlder([])
        _ = try ledgers.summary(1, "SEED")
        #expect(try state.directory.order(job: 1, folder: "SEED")?.update == "OWN")
    }

    @Test func `go on when they failed and an admin says so, once`() throws {
        do {
            var ledger = try Ledger(ledgers.lock(1, "SEED"))
            try ledger.append(.failed(step: 4, code: .script, message: "no"))
        }
        for _ in 1...2 { try ledgers.resume(1, "SEED", assuming: 4) }
        #expect(try ledgers.summary(1, "SEED").finished == [4])
        #expect(try Ledger.read(File.open(file)).count == 3)
        ledgers.drop(1)
        #expect(try ledgers.summary(1, "SEED").finished == [4])
    }
}
