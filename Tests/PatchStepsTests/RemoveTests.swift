import Foundation
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `A file that is removed` {
    let place: Workplace
    let before: [String]

    init() throws {
        place = try Workplace()
        try place.write("old", "lib/a")
        try place.makeDirectory("dir")
        before = try place.picture()
    }

    @Test func `goes, and a revert brings it back`() throws {
        let inode = place.inode("lib/a")
        #expect(try place.run(1, [.remove("lib/a")]).outcome == .done)
        #expect(!place.exists("lib/a"))
        #expect(place.exists("lib"))
        try place.revert(1)
        #expect(place.inode("lib/a") == inode)
        #expect(try place.picture() == before)
    }

    @Test func `and is not there counts as equal`() throws {
        try place.begin(1, place.plan(1, [.remove("lib/none"), .remove("no/where"), .remove("lib/a")]))
        #expect(try place.survey(1).equal == [0, 1])
        try place.stage(1)
        #expect(try place.apply(1).outcome == .done)
        try place.revert(1)
        #expect(try place.picture() == before)
    }

    @Test func `and that went between staging and the switch is no error, and stays away after a revert`() throws {
        try place.begin(1, place.plan(1, [.remove("lib/a")]))
        try place.survey(1)
        try place.stage(1)
        try place.remove("lib/a")
        #expect(try place.apply(1).outcome == .done)
        try place.write("another", "lib/a")
        try place.revert(1)
        #expect(try place.read("lib/a") == "another")
        #expect(!place.exists("lib/a.patchd-old"))
    }

    @Test func `and whose name somebody took since comes back, and the other is saved`() throws {
        try place.run(1, [.remove("lib/a")])
        try place.write("mine", "lib/a")
        try place.revert(1)
        #expect(try place.read("lib/a") == "old")
        #expect(try place.read("lib/a.patchd-old") == "mine")
    }

    @Test func `is no directory`() throws {
        try place.begin(1, place.plan(1, [.remove("dir")]))
        #expect(try place.survey(1).codes == [.exists])
    }

    @Test func `may be brought before and after by the same update`() throws {
        let steps: [Brought] = [
            .file("lib/a", "one"), .file("lib/new", "one"), .remove("lib/a"), .remove("lib/new"), .remove("lib/a"),
            .script("8.0.2.sh", "ls lib > seen"), .file("lib/a", "two"),
        ]
        try place.begin(1, place.plan(1, steps, downgrades: [.script("8.0.2.sh", "rm seen")]))
        #expect(try place.survey(1).equal == [4])
        try place.stage(1)
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("seen") == "")
        #expect(try place.read("lib/a") == "two")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.picture() == before)
    }
}

@Suite struct `A directory that is deleted` {
    let place: Workplace
    let before: [String]

    init() throws {
        place = try Workplace()
        try place.run(
            1,
            [
                .directory("d", mode: 0o750), .file("d/a", "a", mode: 0o640), .directory("d/e"), .file("d/e/b", "b"),
                .file("top", "top"),
            ])
        before = try place.picture()
    }

    /// Whether a job finds the folder good; then it is applied.
    private func delete(_ steps: [Brought]) throws -> [FaultCode] {
        try place.begin(2, place.plan(2, steps))
        let found = try place.survey(2)
        guard found.codes.isEmpty else { return found.codes }
        try place.stage(2)
        #expect(try place.apply(2).outcome == .done)
        return []
    }

    private func reverts() throws {
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.picture() == before)
    }

    @Test func `goes with what patchd brought, which then counts as never brought, and a revert brings it back`() throws
    {
        let inode = place.inode("d/e/b")
        #expect(try delete([.delete("d"), .delete("none"), .delete("no/where")]) == [])
        #expect(try place.picture().count == 1)
        try place.begin(3, place.plan(3, []))
        #expect(try place.work(3) { (work) throws(WorkerError) in try work.verify() }.verified?.missing == [])
        try reverts()
        #expect(place.inode("d/e/b") == inode)
    }

    @Test func `stays where something in it is foreign or changed`() throws {
        try place.write("mine", "d/e/mine")
        #expect(try delete([.delete("d")]) == [.exists])
        try place.remove("d/e/mine")
        try place.write("changed", "d/a")
        #expect(try delete([.delete("d")]) == [.exists])
        #expect(try place.read("d/a") == "changed")
    }

    @Test func `goes with what is deleted in it by name, whoever brought that`() throws {
        try place.write("mine", "d/e/mine")
        let before = try place.picture()
        #expect(try delete([.delete("d/e/mine"), .delete("d/e"), .delete("d")]) == [])
        #expect(!place.exists("d"))
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.picture() == before)
    }

    @Test func `stays where something came into it after the survey`() throws {
        try place.begin(2, place.plan(2, [.delete("d")]))
        #expect(try place.survey(2).codes == [])
        try place.stage(2)
        try place.write("mine", "d/mine")
        guard case .failed(0, .exists, _) = try place.apply(2).outcome else {
            Issue.record("the directory went")
            return
        }
        #expect(try place.read("d/mine") == "mine")
        #expect(try place.read("d/e/b") == "b")
        try place.remove("d/mine")
        try place.resume(2)
        #expect(try place.apply(2).outcome == .done)
        #expect(!place.exists("d"))
        try reverts()
    }

    @Test func `may be brought again by a later patch, equal files too, and by a later update`() throws {
        #expect(try delete([.delete("d"), .directory("d"), .file("d/a", "a"), .file("d/c", "c")]) == [])
        #expect(try place.read("d/a") == "a" && !place.exists("d/e"))
        try place.run(3, [.delete("d")])
        #expect(!place.exists("d"))
        try place.run(4, [.directory("d"), .file("d/a", "new")])
        try place.run(5, [.delete("d")])
        for job in [5, 4, 3, 2] { #expect(try place.revert(job).outcome == .reverted) }
        #expect(try place.picture() == before)
    }

    @Test func `gives way to a file, and a file with what a later patch brings again is a directory`() throws {
        #expect(
            try delete([.delete("d"), .file("d", "file"), .delete("d"), .directory("d"), .file("d/a", "a")]) == [])
        #expect(try place.read("d/a") == "a" && !place.exists("d/e"))
        try reverts()
    }

    @Test func `is moved as a link where it is one`() throws {
        symlink("d", "\(place.folder)/link")
        let before = try place.picture()
        #expect(try delete([.delete("link")]) == [])
        #expect(!place.exists("link") && place.exists("d/a"))
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.picture() == before)
    }

    @Test func `warns of a changed file that is the admin's own, and removes it`() throws {
        try place.write("mine", "top")
        try place.begin(2, place.plan(2, [.delete("top", keep: true), .delete("d/a", keep: true)]))
        let found = try place.survey(2).survey
        #expect(found?.faults == [] && found?.warnings.count == 1, "\(String(describing: found))")
        #expect(found?.warnings.first?.contains("\"top\" was changed here") == true)
        try place.stage(2)
        #expect(try place.apply(2).outcome == .done)
        try place.revert(2)
        #expect(try place.read("top") == "mine")
    }
}
