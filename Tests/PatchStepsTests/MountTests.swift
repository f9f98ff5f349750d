import Foundation
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite(.enabled(if: geteuid() == 0, "needs root to mount")) struct `A mount inside a folder` {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.write("old", "top")
    }

    enum Kind: String, CaseIterable, Sendable { case ext4, xfs, bind }

    private func mount(_ kind: Kind, at path: String) throws {
        switch kind {
        case .ext4: try place.mount("ext4", at: path)
        case .xfs: try place.mount("xfs", at: path, megabytes: 320)
        case .bind:
            let source = "\(place.root)/elsewhere"
            try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
            try place.makeDirectory(path)
            try place.bind(source, at: path)
        }
    }

    @Test(arguments: Kind.allCases) func `gets its own area, and is updated and put back like the rest`(
        kind: Kind
    ) throws {
        try mount(kind, at: "data/vol")
        try place.write("old", "data/vol/a")
        try place.write("old", "data/vol/gone")
        try place.write("mine", "data/vol/app.ini")
        let before = try place.picture()
        try place.run(
            1,
            [
                .directory("data"), .directory("data/vol"), .directory("data/vol/new"), .file("top", "new"),
                .file("data/vol/a", "new"), .file("data/vol/new/b", "new"), .remove("data/vol/gone"),
                .file("data/vol/app.ini", "new", keep: true), .script("8.0.2.sh", "cat data/vol/new/b > seen"),
                .file("data/vol/a", "newer", patch: "B"),
            ], downgrades: [.script("8.0.2.sh", "rm seen")])
        #expect(try place.summary(1).outcome == .done)
        #expect(try place.read("data/vol/a") == "newer")
        #expect(try place.read("seen") == "new")
        #expect(place.mode("data/vol/.patchd") == 0o700)
        #expect(place.exists("data/vol/.patchd/jobs/1/4"), "the original is on the mount that it came from")
        #expect(!place.exists("data/.patchd"))
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.picture() == before)
    }

    @Test func `within a mount has its area at its own top`() throws {
        try mount(.ext4, at: "a")
        try mount(.bind, at: "a/b/c")
        try place.run(1, [.directory("a/b/c/d"), .file("a/b/c/d/e", "new"), .file("a/x", "new")])
        #expect(place.exists("a/b/c/.patchd/jobs/1") && place.exists("a/.patchd/jobs/1"))
        #expect(try place.revert(1).outcome == .reverted)
        #expect(!place.exists("a/b/c/d") && !place.exists("a/x"))
    }

    @Test func `that is gone at the switch stops the folder, and nothing goes to what lies below`() throws {
        try mount(.ext4, at: "vol")
        try place.begin(1, place.plan(1, [.file("top", "new"), .file("vol/a", "new")]))
        try place.survey(1)
        try place.stage(1)
        try place.unmount("vol")
        let before = try place.picture()
        guard case .failed(_, .io, let message) = try place.apply(1).outcome else {
            Issue.record("applied")
            return
        }
        #expect(message.contains("\(place.folder)/vol"))
        #expect(try place.picture() == before)
    }

    @Test func `that came over a staged place stops the folder`() throws {
        try place.makeDirectory("vol")
        try place.begin(1, place.plan(1, [.file("vol/a", "new")]))
        try place.survey(1)
        try place.stage(1)
        try mount(.bind, at: "vol")
        guard case .failed(_, .io, _) = try place.apply(1).outcome else {
            Issue.record("applied")
            return
        }
        #expect(!place.exists("vol/a"))
    }

    @Test func `that is gone at a rollback makes it irreversible, before anything is touched`() throws {
        try mount(.ext4, at: "vol")
        try place.run(1, [.file("top", "new"), .file("vol/a", "new")])
        try place.unmount("vol")
        try place.beginRollback(2, of: [1])
        #expect(try place.survey(2).codes == [.irreversible])
        try place.revert(2)
        #expect(try place.read("top") == "new")
    }

    @Test func `that has no room is a fault of its own`() throws {
        try mount(.ext4, at: "vol")
        let big = String(repeating: "x", count: 9 << 20)
        try place.begin(1, place.plan(1, [.file("top", big), .file("vol/a", "small")]))
        #expect(try place.survey(1).codes == [])
        try place.begin(2, place.plan(2, [.file("top", "small"), .file("vol/a", big)]))
        let found = try place.survey(2)
        #expect(found.codes == [.space])
        #expect(found.survey?.faults.first?.message.contains("\(place.folder)/vol") == true)
    }

    @Test func `that is read-only is a fault`() throws {
        try place.makeDirectory("vol")
        let source = "\(place.root)/elsewhere"
        try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
        try place.bind(source, at: "vol", readOnly: true)
        try place.begin(1, place.plan(1, [.file("vol/a", "new")]))
        #expect(try place.survey(1).codes == [.ownership])
        try place.begin(2, place.plan(2, [.file("top", "new")]))
        #expect(try place.survey(2).codes == [])
    }

    @Test func `at the very place of a target is a fault`() throws {
        try place.write("other", "other")
        try place.bind("\(place.folder)/other", at: "top")
        try place.begin(1, place.plan(1, [.file("top", "new")]))
        #expect(try place.survey(1).codes == [.io])
    }

    @Test func `keeps a directory in the way of a file from giving way`() throws {
        try place.run(1, [.directory("d"), .directory("d/vol"), .file("d/x", "x")])
        try mount(.bind, at: "d/vol")
        try place.begin(2, place.plan(2, [.file("d", "new")]))
        #expect(try place.survey(2).codes == [.exists])
    }

    @Test func `with a copied folder's area gets a new one`() throws {
        try mount(.ext4, at: "vol")
        try place.write("{\"schema\":1,\"endpoint\":\"x\",\"folder\":\"Y\",\"inode\":2}", "vol/.patchd/marker.json")
        try place.write("stray", "vol/.patchd/jobs/1/0")
        try place.run(1, [.file("vol/a", "new")])
        #expect(try place.read("vol/a") == "new")
    }
}
