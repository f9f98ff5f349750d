import Foundation
import Logging
import PatchFiles
import Support
import Testing

@testable import PatchModel
@testable import Supervisor

@Suite struct `Who may command` {
    /// Group 7 are the approvers.
    private let users = Authorization(approvers: 7) { uid in
        switch uid {
        case 100: Authorization.User(name: "anna", groups: [100, 7])
        case 101: Authorization.User(name: "bert", groups: [100])
        case 102: Authorization.User(name: "patchd-fetch", groups: [7])
        case 103: Authorization.User(name: "patchd-agent", groups: [7])
        default: nil
        }
    }

    private func job(droppedBy uid: UInt32) throws -> Job {
        var job = Job(
            job: 1, endpoint: "payroll", update: "A", version: try #require(Version("8.0.2")), sha256: "",
            options: UpdateOptions(), claim: "x", createdAt: .now)
        job.drop = JobDrop(name: "a.zip", time: .now, owner: uid)
        return job
    }

    @Test func `are root and the group's members`() {
        #expect(users.mayCommand(0, on: nil) && users.mayCommand(100, on: nil))
        #expect(!users.mayCommand(101, on: nil) && !users.mayCommand(999, on: nil))
        #expect(!Authorization(approvers: nil, user: users.user).mayCommand(100, on: nil))
    }

    @Test func `is never who fetches updates, and a fleet's agent only where it dropped them`() throws {
        for owner in [UInt32(102), 103, 0] { #expect(try !users.mayCommand(102, on: job(droppedBy: owner))) }
        #expect(try users.mayCommand(103, on: job(droppedBy: 103)))
        #expect(try !users.mayCommand(103, on: job(droppedBy: 100)) && !users.mayCommand(103, on: nil))
        #expect(users.mayHoldAll(103) && users.mayHoldAll(100))
        #expect(!users.mayHoldAll(102) && !users.mayHoldAll(101))
    }
}

@Suite struct `A request` {
    private func read(_ text: String) throws -> AdminRequest { try AdminRequest(Array(text.utf8), file: "r.json") }

    @Test func `to forget names an endpoint, and perhaps a folder`() throws {
        let (endpoint, folder) = (try read(#"{"command":"forget","endpoint":"payroll"}"#), "SEED")
        #expect(endpoint == .forget(endpoint: "payroll", folder: nil))
        for text in [
            #"{"command":"forget","endpoint":"payroll","folder":"SEED"}"#,
            #"{"command":"forget","target":"payroll/SEED"}"#,
        ] { #expect(try read(text) == .forget(endpoint: "payroll", folder: folder)) }
        #expect(throws: Refusal.self) { try read(#"{"command":"forget"}"#) }
        #expect(throws: Refusal.self) { try read(#"{"command":"forget","endpoint":"payroll","job":1}"#) }
    }

    static let good = [
        #"{"command":"resume","job":1,"assumeDone":"8.0.2.sh","skip":["SEED"],"x-by":[1]}"#,
        #"{"command":"resume","job":1}"#,
        #"{"command":"cancel","job":1}"#, #"{"command":"decline","job":1}"#, #"{"command":"gc"}"#,
        #"{"command":"approve","job":1,"sha256":"AB","options":{"exclude":["SEED"],"force":true}}"#,
        #"{"command":"rollback","job":1,"discardData":true}"#,
        #"{"command":"rollback","endpoint":"payroll","folder":"SEED","to":"8.0.1"}"#,
        #"{"command":"rollback","target":"payroll/SEED"}"#,
        #"{"command":"catchup","target":"payroll/SEED","force":true}"#,
        #"{"command":"baseline","endpoint":"payroll","folder":"SEED","version":"8.0.1","migrations":"0042_x.sql"}"#,
        #"{"command":"markUnstable","update":"X3V8_P2@8.0.2"}"#, #"{"command":"markStable","update":"X3V8_P2"}"#,
        #"{"command":"forget","target":"payroll"}"#,
    ]
    static let bad = [
        "", "[]", "{}", #"{"command":1}"#, #"{"command":"resum","job":1}"#, #"{"command":"resume"}"#,
        #"{"command":"resume","job":"1"}"#, #"{"command":"resume","job":1.5}"#,
        #"{"command":"resume","job":1,"skip":"SEED"}"#,
        #"{"command":"resume","job":1,"skip":[""]}"#, #"{"command":"cancel","job":1,"force":true}"#,
        #"{"command":"rollback"}"#, #"{"command":"rollback","endpoint":"payroll"}"#,
        #"{"command":"rollback","target":"payroll"}"#, #"{"command":"rollback","job":1,"discardData":"yes"}"#,
        #"{"command":"rollback","target":"payroll/SEED","to":"v8"}"#, #"{"command":"catchup","job":1}"#,
        #"{"command":"baseline","target":"payroll/SEED"}"#,
        #"{"command":"baseline","target":"payroll/SEED","version":8}"#,
        #"{"command":"baseline","target":"payroll/SEED","version":"8","migrations":"x.sql"}"#,
        #"{"command":"markStable"}"#, #"{"command":"markStable","update":"@8"}"#,
        #"{"command":"markStable","update":"A@v"}"#, #"{"command":"gc","job":1}"#, #"{"command":"forget","job":1}"#,
    ]

    @Test func `is read strictly, and by its schema alike`() throws {
        for text in Self.good { _ = try read(text) }
        for text in Self.bad { #expect(throws: Refusal.self, "\(text)") { try read(text) } }
        #expect(try Schemas.problems(in: Self.good.map { ("request", $0) }) == Self.good.map { _ in "" })
        #expect(try Schemas.taken(Self.bad.map { ("request", $0) }) == [])
    }

    private struct Order: DeferredOrder { var request: String }

    @Test func `that is carried out beside the loop is carried out once, and answered when it has been`() throws {
        let replies = DeferredReplies<Order, Int>()
        let order = Order(request: "a")
        #expect(try replies.value(of: order) == nil)
        #expect(try replies.value(of: order) == nil && replies.asked.count == 1)
        replies.begin(order)
        #expect(replies.asked.isEmpty && !replies.isEmpty)
        replies.end(order, .success(7))
        #expect(try replies.value(of: order) == 7)
        replies.forget("a")
        #expect(replies.isEmpty)
        replies.end(order, .success(8))
        #expect(replies.isEmpty, "a request that was withdrawn gets no answer")
        #expect(try replies.value(of: order) == nil)
        replies.begin(order)
        replies.end(order, .failure(Fault(.io, "x")))
        #expect(throws: Fault.self) { try replies.value(of: order) }
    }
}

@Suite struct `What is said` {
    @Test func `of what happens again and again is a line a minute, with how often`() {
        var count = RepeatCount()
        #expect(count.note("a", at: 0) == 1)
        for second in 1..<60 { #expect(count.note("a", at: Double(second)) == nil) }
        #expect(count.note("b", at: 30) == 1, "another thing is said at once")
        #expect(count.note("a", at: 61) == 60)
        #expect(count.note("a", at: 62) == nil)
        #expect(count.note("a", at: 122) == 2)
    }
}

@Suite struct `The spool` {
    let path = "/tmp/patchd-spool-\(UInt64.random(in: .min ... .max))"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    private func make(_ name: String) { close(open("\(path)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)) }

    @Test func `is looked through a piece at a time, and of each user the oldest are kept`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        for number in 0..<3000 { make("\(number).json") }
        for number in 0..<3000 { make(".\(number)") }
        let scan = SpoolScan(path, isEntry: RequestFiles.isRequest)
        #expect(try scan.advance() == nil, "there is more than one piece")
        let found = try #require(try scan.advance()?[geteuid()])
        #expect(found.count == SpoolScan.most)
        let changed = found.map(\.status.changed)
        #expect(changed == changed.sorted())
        #expect(found.allSatisfy { !$0.name.hasPrefix(".") })
        var newest = stat()
        stat("\(path)/2999.json", &newest)
        #expect(
            try #require(changed.last) < Int64(newest.st_ctim.tv_sec) * 1_000_000_000 + Int64(newest.st_ctim.tv_nsec))
    }
}

@Suite struct `The index of jobs` {
    private func job(_ number: Int, _ state: Job.State, startedAt: Timestamp? = nil) throws -> Job {
        var job = Job(
            job: number, endpoint: "payroll", update: "A", version: try #require(Version("8.0.2")), sha256: "",
            options: UpdateOptions(), claim: "c\(number)", createdAt: .now)
        job.state = state
        job.startedAt = startedAt
        return job
    }

    @Test func `follows each change of a job`() throws {
        var index = JobLookup()
        var first = try job(1, .queued)
        index.note(first, before: nil)
        index.note(try job(7, .queued), before: nil)
        #expect(index.open(of: "payroll") == [1, 7])
        index.note(try job(3, .queued), before: nil)
        #expect(index.open(of: "payroll") == [1, 3, 7])
        index.note(try job(3, .done), before: try job(3, .queued))
        #expect(index.open(of: "payroll") == [1, 7])
        #expect(index.open(of: "other").isEmpty && index.lastOrder(of: "payroll") == 0)
        #expect(index.jobs(from: "c7") == [7] && index.jobs(from: "c").isEmpty)
        var before = first
        first.state = .failed
        first.startedAt = .now
        first.request = "r"
        first.folders["SEED"] = FolderJob(state: .failed, progress: .init(total: 1))
        index.note(first, before: before)
        #expect(index.open(of: "payroll") == [7] && index.holding("payroll") == [1])
        #expect(index.lastOrder(of: "payroll") == 1 && index.jobs(by: "r") == [1])
        before = first
        first.request = "s"
        first.folders["SEED"]?.state = .reverted
        index.note(first, before: before)
        #expect(index.holding("payroll").isEmpty && index.jobs(by: "r").isEmpty && index.jobs(by: "s") == [1])
    }
}

@Suite struct `What is refused` {
    let path = "/tmp/patchd-rejected-\(UInt64.random(in: .min ... .max))"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    private func reject(_ name: String, sha256: String = "", at: Timestamp = .now, limit: UInt64 = 1 << 30) throws {
        try Rejections(path: path).add(
            name, sha256: sha256, Refusal(.archiveMalformed, "x"), options: nil, at: at, limit: limit
        ) { (directory, free) throws(FileError) in
            try directory.replaceFile(free, with: [UInt8](repeating: 7, count: 64 << 10), isDurable: false)
        }
    }

    @Test func `under one name gets numbers without a look at each that is taken, and after a crash its own`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let taken = Timestamp.now
        for number in 1...20 { try reject("a.zip", sha256: "\(number)", at: taken) }
        try reject("a.zip", sha256: "20", at: taken)
        let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".zip") }
        #expect(Set(names) == Set(["a.zip"] + (2...20).map { "a-\($0).zip" }))
    }

    @Test func `is kept as far as there is room, the newest, and the reason of that in any case`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        for number in 1...8 { try reject("\(number).zip", limit: 300 << 10) }
        func isKept(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
        #expect(!isKept("1.zip") && !isKept("1.zip.reason.json") && isKept("8.zip") && isKept("7.zip"))
        try reject("9.zip", limit: 10 << 10)
        #expect(!isKept("9.zip") && isKept("9.zip.reason.json") && !isKept("8.zip.reason.json"))
    }
}

@Suite struct `A name in holds` {
    let path = "/tmp/patchd-holds-\(UInt64.random(in: .min ... .max))"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    private func look(_ mayHold: Bool?) throws -> Holds.Standing? {
        let holds = Holds(path: path, logger: Logger(label: "holds") { _ in SwiftLogNoOpLogHandler() })
        return try holds.standing(on: "payroll", ["SEED"]) { _, _ in mayHold }.first
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }.sorted() }
    }

    @Test func `is freed of what counts for nothing, and of nothing that counts or cannot be judged`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let all = ["ALL.lock", "payroll.SEED.lock", "payroll.lock"]
        for name in all + ["other.lock"] { try Data().write(to: URL(fileURLWithPath: "\(path)/\(name)")) }
        #expect(try look(nil) == nil)
        #expect(try names == ["ALL.lock", "other.lock", "payroll.SEED.lock", "payroll.lock"])
        #expect(try look(true)?.hold.target == .all)
        #expect(try names.count == 4)
        #expect(try look(false) == nil)
        #expect(try names == ["other.lock"], "which nobody has asked for")
        // Once more: what was moved aside before makes room.
        for name in all { try Data().write(to: URL(fileURLWithPath: "\(path)/\(name)")) }
        #expect(try look(false) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == 4)
    }
}
