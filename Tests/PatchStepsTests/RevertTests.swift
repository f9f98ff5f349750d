import Foundation
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `A revert` {
    let place: Workplace
    let before: [String]
    static let steps: [Brought] = [
        .directory("lib"), .directory("new"), .file("lib/a", "new a"), .file("new/b", "new b", mode: 0o755),
        .file("top", "new top"), .script("8.0.2.sh", "echo up > up; echo \"$PATCHD_FROM $PATCHD_TO\" >> log"),
    ]
    static let downgrades: [Brought] = [
        .script("8.0.2.sh", "cat lib/a > seen; rm up; echo \"$PATCHD_FROM $PATCHD_TO\" >> log")
    ]

    init() throws {
        place = try Workplace()
        try place.write("old a", "lib/a")
        try place.write("old top", "top")
        chmod(place.folder + "/top", 0o640)
        try place.write("", "log")
        try place.write("", "seen")
        before = try place.picture()
    }

    /// Without what the scripts leave on purpose.
    private func picture() throws -> [String] {
        try place.write("", "log")
        try place.write("", "seen")
        return try place.picture()
    }

    @Test func `of a folder that is done brings back every file with its inode and mode, and runs the downgrades`()
        throws
    {
        let inode = place.inode("lib/a")
        #expect(try place.run(1, Self.steps, downgrades: Self.downgrades).outcome == .done)
        #expect(try place.read("lib/a") == "new a")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(place.inode("lib/a") == inode)
        #expect(try place.read("log") == "8.0.1 8.0.2\n8.0.2 8.0.1\n")
        #expect(try place.read("seen") == "new a", "the downgrade finds the files that the upgrade ran with")
        #expect(try picture() == before)
    }

    @Test func `of a half-done folder undoes what was done, with the downgrade of a script that failed`() throws {
        var steps = Self.steps
        steps[5].text = "echo up > up; exit 7"
        steps.append(.script("8.0.2_z.sh", "touch never"))
        try place.begin(1, place.plan(1, steps, downgrades: Self.downgrades))
        try place.survey(1)
        try place.stage(1)
        guard case .failed(5, .script, _) = try place.apply(1).outcome else {
            Issue.record("the script failed")
            return
        }
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try picture() == before)
        #expect(try place.apply(1).outcome != .done, "there is no way forward after it")
    }

    @Test func `of a folder in which nothing is switched yet touches nothing`() throws {
        try place.begin(1, place.plan(1, Self.steps))
        try place.survey(1)
        try place.stage(1)
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.picture() == before)
    }

    @Test func `of a folder whose staging was cut off touches nothing, whatever came there since`() throws {
        try place.begin(1, place.plan(1, [.file("fresh", "new")]))
        try place.survey(1)
        try place.stage(1)
        // As if the worker had been cut off before it said that all is complete, and again when it began anew.
        let records = try Ledger.read(place.ledgerFile(1))
        unlink("\(place.root)/ledger-1")
        var ledger = try Ledger(place.ledgerFile(1))
        for record in records where record != .prepared { try ledger.append(record) }
        try place.remove(".patchd/jobs/1/0")
        try place.write("mine", "fresh")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.read("fresh") == "mine")
    }

    @Test func `of a half-done folder runs no downgrade whose upgrade never began`() throws {
        let steps: [Brought] = [
            .file("top", "new"), .script("8.0.2~a.sh", "exit 1"), .script("8.0.2.sh", "true"),
        ]
        let downgrades: [Brought] = [
            .script("8.0.2.sh", "touch wrong"), .script("8.0.2~b.sh", "touch wrong"), .script("8.0.2~a.sh", "true"),
        ]
        try place.begin(1, place.plan(1, steps, downgrades: downgrades))
        try place.survey(1)
        try place.stage(1)
        try place.apply(1)
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.picture() == before)
    }

    @Test func `saves a file that was changed since under a name that nothing has`() throws {
        try place.run(1, [.file("top", "new"), .file("lib/a", "new a"), .file("fresh", "fresh")])
        try place.write("mine", "top")
        try place.write("somebody's", "top.patchd-old")
        // In place: the same inode with other content.
        let handle = try #require(FileHandle(forWritingAtPath: place.folder + "/lib/a"))
        try handle.write(contentsOf: Data("NEW".utf8))
        try handle.close()
        try place.write("mine too", "fresh")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.read("top") == "old top")
        #expect(try place.read("top.patchd-old") == "somebody's")
        #expect(try place.read("top.patchd-old.1") == "mine")
        #expect(try place.read("lib/a") == "old a")
        #expect(try place.read("lib/a.patchd-old") == "NEW a")
        #expect(!place.exists("fresh"))
        #expect(try place.read("fresh.patchd-old") == "mine too")
        #expect(try place.trace(1).contains("undo file top: it was changed since; kept as top.patchd-old.1"))
    }

    @Test func `takes a file or directory that was removed since for no error`() throws {
        try place.run(1, Self.steps, downgrades: [.script("8.0.2.sh", "rm up")])
        try place.remove("new")
        try place.remove("lib")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.read("lib/a") == "old a")
        #expect(!place.exists("new"))
    }

    @Test func `leaves a directory that it made and that is not empty, and says so`() throws {
        try place.run(1, Array(Self.steps.dropLast()))
        try place.write("mine", "new/mine")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(!place.exists("new/b"))
        #expect(try place.read("new/mine") == "mine")
        #expect(try place.trace(1).contains("undo directory new: the directory is not empty and stays"))
    }

    @Test func `knows the original that came between staging and the switch`() throws {
        try place.begin(1, place.plan(1, [.file("top", "new"), .file("fresh", "new"), .directory("made")]))
        try place.survey(1)
        try place.stage(1)
        try place.remove("top")
        try place.write("by the application", "top")
        try place.write("by the application", "fresh")
        try place.write("by the application", "made/x")
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("fresh") == "new")
        #expect(try place.read("made/x") == "by the application")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.read("top") == "by the application")
        #expect(try place.read("fresh") == "by the application")
        #expect(try place.read("made/x") == "by the application")
        #expect(!place.exists("top.patchd-old") && !place.exists("fresh.patchd-old"))
    }

    @Test func `brings a file under a directory back when the directory replaced it`() throws {
        try place.run(1, [.directory("top"), .file("top/x", "new")])
        #expect(try place.read("top/x") == "new")
        try place.write("mine", "top/mine")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.read("top") == "old top")
        #expect(try place.read("top.patchd-old/mine") == "mine")
        #expect(!place.exists("top.patchd-old/x"))
    }

    @Test func `undoes two patches that bring one file, the later one first`() throws {
        try place.run(
            1,
            [
                .file("top", "one"), .script("8.0.2.sh", "cp top seen", patch: "MAIN"),
                .file("top", "two", patch: "BIS"),
                .file("top", "three", patch: "TER"),
            ], downgrades: [.script("8.0.2.sh", "cat top >> seen")])
        #expect(try place.read("top") == "three")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.read("seen") == "oneone")
        #expect(try place.read("top") == "old top")
    }
}

@Suite struct `A rollback` {
    let place: Workplace
    let before: [String]

    init() throws {
        place = try Workplace()
        try place.write("1", "a")
        before = try place.picture()
    }

    private func twoJobs() throws {
        try place.run(
            1, [.file("a", "2"), .file("b", "2"), .script("8.0.2.sh", "echo up2 >> log")],
            downgrades: [.script("8.0.2.sh", "echo down2 >> log")])
        try place.run(
            2, [.file("a", "3"), .script("8.0.3.sh", "echo up3 >> log")],
            downgrades: [.script("8.0.3.sh", "echo down3 >> log"), .script("8.0.3~a.sh", "echo down3a >> log")],
            from: "8.0.2", to: "8.0.3")
    }

    @Test func `undoes several jobs, newest first, with all their downgrades`() throws {
        try twoJobs()
        try place.beginRollback(3, of: [2, 1])
        #expect(try place.survey(3).survey?.faults == [])
        try place.stage(3)
        #expect(try place.revert(3).outcome == .reverted)
        #expect(try place.read("log") == "up2\nup3\ndown3\ndown3a\ndown2\n")
        try place.remove("log")
        #expect(try place.picture() == before)
        #expect(try place.order(3).plan.to.description == "8.0.1")
    }

    @Test func `cannot itself be applied or undone`() throws {
        try twoJobs()
        try place.beginRollback(3, of: [2])
        try place.stage(3)
        guard case .failed = try place.apply(3).outcome else {
            Issue.record("applied")
            return
        }
        #expect(try place.undoneJob(3) == nil)
    }

    @Test func `is refused, and touches nothing, where a script has no downgrade`() throws {
        try place.run(
            1, [.file("a", "2"), .script("8.0.2.sh", "true"), .script("8.0.2~a.sh", "true")],
            downgrades: [.script("8.0.2.sh", "touch ran")])
        let done = try place.picture()
        try place.beginRollback(2, of: [1])
        let found = try place.survey(2)
        #expect(found.codes == [.irreversible])
        #expect(found.survey?.faults.first?.message.contains("8.0.2~a.sh") == true)
        guard case .failed(nil, .irreversible, _) = try place.revert(2).outcome else {
            Issue.record("reverted")
            return
        }
        #expect(try place.picture() == done)
        #expect(try !place.summary(2).isReverting)
    }

    @Test func `is refused where an original or a downgrade is not kept any more, naming it`() throws {
        try twoJobs()
        try place.remove(".patchd/jobs/2/0")
        try place.remove(".patchd/jobs/1/3")
        let done = try place.picture()
        try place.beginRollback(3, of: [2, 1])
        let found = try place.survey(3)
        #expect(found.codes == [.irreversible, .irreversible])
        #expect(found.survey?.faults.contains { $0.message.contains("file a of job 2") } == true)
        #expect(found.survey?.faults.contains { $0.message.contains("downgrades/8.0.2.sh") } == true)
        try place.revert(3)
        #expect(try place.picture() == done)
    }

    @Test func `is refused where the originals were never marked complete`() throws {
        try twoJobs()
        var job = try #require(try place.undoneJob(2))
        job.isPrepared = false
        try place.begin(3, place.plan(3, []), undo: [job])
        #expect(try place.survey(3).codes == [.irreversible])
    }

    @Test func `is refused in a copy of the folder, whose originals are another's`() throws {
        try twoJobs()
        let copy = "\(place.root)/copy"
        try FileManager.default.copyItem(atPath: place.folder, toPath: copy)
        var plan = try place.plan(3, [])
        plan.path = copy
        try place.begin(3, plan, undo: [try #require(try place.undoneJob(2))])
        #expect(try place.survey(3).codes.contains(.irreversible))
    }

    @Test func `of a job that another one overlays shows what changed since only of the newest`() throws {
        try twoJobs()
        try place.write("mine", "a")
        try place.beginRollback(3, of: [2, 1])
        #expect(try place.survey(3).survey?.warnings.count == 1)
        try place.revert(3)
        #expect(try place.read("a") == "1")
        #expect(try place.read("a.patchd-old") == "mine")
        #expect(!place.exists("a.patchd-old.1"))
    }

    @Test func `goes on after a downgrade failed and was fixed`() throws {
        try place.run(
            1, [.file("a", "2"), .script("8.0.2.sh", "true")],
            downgrades: [.script("8.0.2.sh", "echo \"$PATCHD_ATTEMPT\" >> tries; test -e fixed")])
        try place.beginRollback(2, of: [1])
        guard case .failed(_, .script, _) = try place.revert(2).outcome else {
            Issue.record("the downgrade failed")
            return
        }
        #expect(try place.read("a") == "2")
        try place.write("", "fixed")
        var ledger = try Ledger(place.ledgerFile(2))
        try ledger.append(.resumed)
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.read("a") == "1")
    }
}
