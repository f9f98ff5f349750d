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
