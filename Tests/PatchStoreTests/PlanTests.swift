import Foundation
import PatchJSON
import PatchModel
import PatchStore
import Testing

@Suite struct `A job's plan` {
    let store: Store
    private var state: StateDirectory { store.state }

    init() throws {
        store = try Store()
        try store.state.create(Store.job(1))
    }

    @Test func `comes back as it was, and its overview without the steps`() throws {
        var idle = try Store.plan("SEED2", files: 0)
        (idle.state, idle.steps, idle.downgrades) = (.upToDate, [], [])
        let report = try Store.report([Store.plan("PAIE", files: 3), Store.plan("SEED", files: 2), idle])
        try state.write(report, job: 1)
        #expect(try state.plan(job: 1) == report)
        let overview = try #require(try state.overview(job: 1)?.endpoints.first)
        #expect(overview.folders.map(\.count) == [6, 5, 0])
        #expect(overview.folders[0].runs.map(\.path) == ["8.0.2.sql", "after"])
        #expect(overview.folders[0].plan.steps.isEmpty && overview.folders[0].plan.from == Version("8.0.1"))
        #expect(overview.warnings == ["w"])
        #expect(try store.names("jobs/1/plan/1") == ["PAIE", "SEED"], "a folder without steps has no file")
    }

    @Test func `is none before the overview, and the old one until the new one is there`() throws {
        #expect(try state.plan(job: 1) == nil)
        let first = try Store.report([Store.plan("PAIE", files: 1)])
        try state.write(first, job: 1)
        // As a kill leaves it before the overview.
        try store.write("garbage", "jobs/1/plan/2/PAIE")
        #expect(try state.plan(job: 1) == first)
        try state.removeLeftovers()
        #expect(try store.names("jobs/1/plan") == ["1"])
        let second = try Store.report([Store.plan("PAIE", files: 2)])
        try state.write(second, job: 1)
        #expect(try state.plan(job: 1) == second)
        #expect(try store.names("jobs/1/plan") == ["2"])
        try state.removePlan(job: 1)
        #expect(try state.plan(job: 1) == nil && !store.exists("jobs/1/plan"))
    }

    @Test func `with a folder's steps cut, changed or missing is damaged and not shorter`() throws {
        try state.write(try Store.report([Store.plan("PAIE", files: 2)]), job: 1)
        let whole = try store.read("jobs/1/plan/1/PAIE")
        for text in [
            String(whole.dropLast(4)), "", "nonsense\n" + whole, whole.replacing("step\tfile", with: "step\tfolder"),
        ] {
            try store.write(text, "jobs/1/plan/1/PAIE")
            #expect(throws: StoreError.self, "\(text.prefix(20))") { try state.plan(job: 1) }
        }
        try FileManager.default.removeItem(atPath: "\(store.path)/jobs/1/plan/1/PAIE")
        #expect(throws: StoreError.self) { try state.plan(job: 1) }
        #expect(try state.overview(job: 1) != nil)
    }

    /// patchctl verify failed for every folder once an old job's steps were gone.
    @Test func `of a job whose work was forgotten has no steps any more, wherever a kill cut the forgetting off`()
        throws
    {
        let report = try Store.report([Store.plan("PAIE", files: 2), Store.plan("SEED", files: 1)])
        try state.write(report, job: 1)
        #expect(try state.hasWork(ofJob: 1))
        // Nobody forgets the work of a job that is not over: without its ledgers it is damaged.
        try FileManager.default.moveItem(atPath: "\(store.path)/jobs/1/ledger", toPath: "\(store.path)/ledger")
        try FileManager.default.removeItem(atPath: "\(store.path)/jobs/1/plan/1/PAIE")
        #expect(throws: StoreError.self) { try state.plan(job: 1) }
        try state.write(try Store.job(1).after(.cancel(request: "", at: .now)))
        #expect(try state.plan(job: 1)?.endpoints.first?.folders.map(\.steps.count) == [0, 0])
        #expect(try state.hasWork(ofJob: 1), "the rest is still to be removed")
        try state.forgetWork(ofJob: 1)
        #expect(try !state.hasWork(ofJob: 1))
        #expect(try state.plan(job: 1)?.endpoints.first?.folders.map(\.folder) == ["PAIE", "SEED"])
    }

    @Test func `of an older patchd has its steps in one file, and is read all the same`() throws {
        var plan = try Store.plan("PAIE", files: 2)
        plan.hasDatabase = true
        let report = try Store.report([plan])
        try store.write(String(decoding: JSONText.page(report), as: UTF8.self), "jobs/1/plan.json")
        #expect(try state.plan(job: 1) == report)
        let folder = try #require(try state.overview(job: 1)?.endpoints.first?.folders.first)
        #expect(folder.count == 5)
        #expect(folder.scripts(of: "X").map(\.key.script) == ["8.0.2.sql"])
        // The next one does not mix with it.
        try state.write(report, job: 1)
        #expect(try state.overview(job: 1)?.generation == 1)
    }

    @Test func `and a worker's order of 60,000 steps are read again`() throws {
        let plan = try Store.plan("PAIE", files: 60_000)
        try state.write(try Store.report([plan]), job: 1)
        #expect(try state.plan(job: 1)?.endpoints[0].folders[0].steps.count == 60_003)
        let slots = (0..<1000).map { StepSlot(step: $0, inode: 5, replaces: nil, place: "p\($0)", mount: "m") }
        let undone = UndoneJob(
            job: 1, update: "X", plan: plan, isPrepared: true, isDone: true, ran: [60_000], slots: slots)
        var second = undone
        (second.job, second.plan.steps, second.slots) = (2, [], [])
        let order = WorkOrder(
            job: 1, endpoint: "payroll", update: "X", scriptTimeout: 5, plan: try Store.plan("SEED", files: 1),
            undo: [undone, second], ask: ["a", "b\tc"])
        try state.write(order, job: 1, folder: "SEED")
        #expect(try state.order(job: 1, folder: "SEED") == order)
        let outline = try #require(try state.orderOutline(job: 1, folder: "SEED"))
        #expect(outline.undone == [1, 2] && outline.order.plan.steps.isEmpty)
        #expect(try state.order(job: 1, folder: "PAIE") == nil)
    }
}

@Suite struct `What checking an archive found` {
    let store: Store
    private var state: StateDirectory { store.state }

    init() throws {
        store = try Store()
        try FileManager.default.createDirectory(
            atPath: "\(store.path)/archives/s", withIntermediateDirectories: true)
    }

    private func update(_ entries: Int) throws -> CheckedUpdate {
        let manifest = try Manifest(
            strictJSON: Array(
                #"{"name":"X","version":"8.0.2","dependency":"8.0.1","patches":[{"name":"P","type":"$ROOT","path":"P","mandatory":true}]}"#
                    .utf8))
        return CheckedUpdate(
            manifest: manifest,
            entries: (0..<entries).map {
                ContentEntry(
                    path: "P/a long directory name that makes the table of contents large/f\t\($0)",
                    kind: $0 == 0 ? .directory : .file, size: 3, mode: $0 % 2 == 0 ? nil : 0o755, sha256: "ab")
            })
    }

    @Test func `comes back with 70,000 entries, and its manifest without them`() throws {
        let update = try update(70_000)
        try state.write(update, in: "archives/s")
        #expect(try state.contents(ofArchive: "s") == update)
        #expect(try state.manifest(ofArchive: "s") == update.manifest)
        #expect(try state.contents(ofArchive: "other") == nil)
    }

    @Test func `is damaged when its end is missing, and read as an older patchd wrote it`() throws {
        let update = try update(3)
        try state.write(update, in: "archives/s")
        let whole = try store.read("archives/s/contents")
        try store.write(String(whole.dropLast(4)), "archives/s/contents")
        #expect(throws: StoreError.self) { try state.contents(ofArchive: "s") }
        try FileManager.default.removeItem(atPath: "\(store.path)/archives/s/contents")
        try store.write(String(decoding: JSONText.page(update), as: UTF8.self), "archives/s/contents.json")
        #expect(try state.contents(ofArchive: "s") == update)
    }
}
