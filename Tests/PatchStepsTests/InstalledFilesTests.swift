import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `The list of installed files` {
    let place: Workplace

    init() throws { place = try Workplace() }

    private func entries() throws -> [String: String] {
        let order = WorkOrder(
            job: 99, endpoint: "payroll", update: "X", scriptTimeout: 1, plan: try place.plan(99, []))
        let registry = try InstalledFiles(Directory.open(place.folder), order: order)
        return Dictionary(
            uniqueKeysWithValues: try registry.entries().map { ($0.key.description, String($0.value.text.prefix(9))) })
    }

    private func sum(_ text: String) -> String { String(SHA256.hash(of: Array(text.utf8)).prefix(9)) }

    @Test func `has what each job brought, equal files too, and nothing of a job that was undone`() throws {
        try place.write("same", "a")
        try place.run(1, [.directory("lib"), .file("a", "same"), .file("lib/b", "1"), .file("c", "1")])
        #expect(try entries() == ["lib": "directory", "a": sum("same"), "lib/b": sum("1"), "c": sum("1")])
        try place.run(2, [.file("lib/b", "2"), .remove("c")], from: "8.0.2", to: "8.0.3")
        #expect(try entries() == ["lib": "directory", "a": sum("same"), "lib/b": sum("2")])
        try place.revert(2)
        #expect(try entries() == ["lib": "directory", "a": sum("same"), "lib/b": sum("1"), "c": sum("1")])
        try place.revert(1)
        #expect(try entries() == [:])
    }

    @Test func `does not count what is only staged`() throws {
        try place.begin(1, place.plan(1, [.file("a", "1")]))
        try place.survey(1)
        try place.stage(1)
        #expect(try entries() == [:])
    }

    /// When the daemon's state was lost, its job numbers begin again, and with them those of the lists.
    @Test func `counts the newer list although its job has a lower number`() throws {
        try place.run(7, [.file("a", "old"), .file("b", "old")])
        try FileManager.default.removeItem(atPath: place.folder + "/.patchd/jobs")
        try place.run(1, [.file("a", "new", keep: true)], from: "8.0.2", to: "8.0.3")
        #expect(try entries() == ["a": sum("new"), "b": sum("old")])
        // A file that nobody touched since is not the admin's own.
        try place.run(2, [.file("a", "newer", keep: true)], from: "8.0.3", to: "8.0.4")
        #expect(try place.read("a") == "newer" && !place.exists("a.patchd-new"))
        try place.revert(2)
        #expect(try entries() == ["a": sum("new"), "b": sum("old")])
    }

    @Test func `loses only the newest list of a number when a job is undone, however often that is tried`() throws {
        try place.run(1, [.file("a", "old")])
        try FileManager.default.removeItem(atPath: place.folder + "/.patchd/jobs")
        for name in ["ledger-1", "trees/1"] { try FileManager.default.removeItem(atPath: "\(place.root)/\(name)") }
        try place.run(1, [.file("b", "b")], from: "8.0.2", to: "8.0.3")
        try place.revert(1)
        try place.revert(1)
        #expect(try entries() == ["a": sum("old")])
    }

    @Test func `of a copied folder counts for nothing`() throws {
        try place.run(1, [.file("a", "1")])
        try FileManager.default.copyItem(atPath: place.folder, toPath: place.root + "/copy")
        try FileManager.default.removeItem(atPath: place.folder)
        try FileManager.default.moveItem(atPath: place.root + "/copy", toPath: place.folder)
        #expect(try entries() == [:])
    }

    @Test(arguments: ["", "{", "[]", #"{"schema":1,"endpoint":7}"#])
    func `is not looked for, nor anything removed, where the marker beside it is damaged`(marker: String) throws {
        try place.write("old", "a")
        try place.run(1, [.file("a", "new")])
        try place.write(marker, ".patchd/marker.json")
        #expect(throws: (any Error).self) { try entries() }
        try place.begin(2, place.plan(2, [.file("a", "newer")], from: "8.0.2", to: "8.0.3"))
        try place.survey(2)
        guard case .failed(_, .io, let message) = try place.stage(2).outcome else {
            Issue.record("staged")
            return
        }
        #expect(message.contains("marker.json") && message.contains("damaged"), "\(message)")
        #expect(try place.read("a") == "new")
        #expect(try place.read(".patchd/jobs/1/0") == "old", "the original is still there")
    }

    @Test func `of a copied folder counts for nothing, and goes`() throws {
        try place.write("old", "a")
        try place.run(1, [.file("a", "new")])
        try place.write(#"{"schema":1,"endpoint":"payroll","folder":"OTHER","inode":1}"#, ".patchd/marker.json")
        #expect(try entries() == [:])
        try place.run(2, [.file("a", "newer")], from: "8.0.2", to: "8.0.3")
        #expect(!place.exists(".patchd/jobs/1") && place.exists(".patchd/jobs/2"))
    }

    @Test func `that is damaged is not guessed at`() throws {
        try place.run(1, [.file("a", "1")])
        try place.write("nonsense\n", ".patchd/brought/1.1")
        #expect(throws: FileError.self) { try entries() }
    }

    @Test func `is merged when its jobs are forgotten, and says the same`() throws {
        for job in 1...6 {
            try place.run(
                job, [.file("a", "\(job)"), .file("only\(job)", "x")] + (job == 4 ? [.remove("only1")] : []),
                from: "8.0.\(job)", to: "8.0.\(job + 1)")
        }
        let all = try entries()
        #expect(all.count == 6 && all["only1"] == nil)
        for job in 1...4 { try place.remove(".patchd/jobs/\(job)") }
        try InstalledFiles.compact(Directory.open(place.folder + "/.patchd"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.folder + "/.patchd/brought").count == 3)
        #expect(try entries() == all)
        try place.revert(6)
        try place.revert(5)
        #expect(try entries()["a"] == sum("4"))
    }
}

@Suite struct `A directory in the way of a file` {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.run(1, [.directory("d"), .directory("d/deep"), .file("d/x", "x"), .file("d/deep/y", "y")])
    }

    @discardableResult
    private func second() throws -> LedgerSummary {
        try place.begin(2, place.plan(2, [.file("d", "file")], from: "8.0.2", to: "8.0.3"))
        return try place.survey(2)
    }

    @Test func `gives way when patchd brought all that is in it, and comes back`() throws {
        let before = try place.picture()
        #expect(try second().codes == [])
        try place.stage(2)
        #expect(try place.apply(2).outcome == .done)
        #expect(try place.read("d") == "file")
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.picture() == before)
        #expect(try second().codes == [], "what was in it is brought again")
    }

    @Test(arguments: ["d/mine", "d/deep/x/mine", "d/x"])
    func `stays where something in it is somebody else's, or was changed`(path: String) throws {
        try place.write("mine", path)
        let found = try second()
        #expect(found.codes == [.exists])
        #expect(found.survey?.faults.first?.message.contains("did not bring \"d/") == true)
    }

    @Test func `stays where somebody's directory is in it, though it is empty`() throws {
        try place.makeDirectory("d/mine")
        #expect(try second().codes == [.exists])
    }

    @Test func `stays where something came into it after staging`() throws {
        try second()
        try place.stage(2)
        try place.write("mine", "d/mine")
        guard case .failed(0, .exists, _) = try place.apply(2).outcome else {
            Issue.record("it gave way")
            return
        }
        #expect(try place.read("d/mine") == "mine")
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.read("d/mine") == "mine")
    }

    @Test func `stays where it came after staging, and is nobody's but the admin's`() throws {
        try place.begin(2, place.plan(2, [.file("e", "file"), .remove("d/x")], from: "8.0.2", to: "8.0.3"))
        try place.survey(2)
        try place.stage(2)
        try place.write("mine", "e/mine")
        guard case .failed(0, .exists, _) = try place.apply(2).outcome else {
            Issue.record("it gave way")
            return
        }
        #expect(try place.read("e/mine") == "mine")
    }

    @Test func `may be brought by an earlier patch of the same update, and brought again by a later one`() throws {
        let before = try place.picture()
        let steps: [Brought] = [
            .directory("d"), .directory("e", patch: "A"), .file("d/x", "changed"), .file("e/z", "z"),
            .file("e", "file", patch: "B"), .file("d", "file", patch: "B"),
            .directory("d", patch: "C"), .file("d/new", "new", patch: "C"),
        ]
        try place.begin(2, place.plan(2, steps, from: "8.0.2", to: "8.0.3"))
        #expect(try place.survey(2).codes == [])
        try place.stage(2)
        #expect(try place.apply(2).outcome == .done)
        #expect(try place.read("e") == "file")
        #expect(try place.read("d/new") == "new")
        #expect(!place.exists("d/x"))
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.picture() == before)
    }

    @Test func `is forgotten with all that was in it`() throws {
        try second()
        try place.stage(2)
        try place.apply(2)
        try place.remove("d")
        try place.makeDirectory("d/deep")
        try place.write("y", "d/deep/y")
        try place.begin(3, place.plan(3, [.file("d", "file")], from: "8.0.3", to: "8.0.4"))
        #expect(try place.survey(3).codes == [.exists])
    }
}
