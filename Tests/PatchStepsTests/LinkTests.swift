import Foundation
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `A symlinked directory of the folder` {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.write("old", "releases/1/lib/a")
        try place.write("old", "releases/2/lib/a")
        try link("releases/1", at: "current")
    }

    private func link(_ target: String, at path: String) throws {
        try? place.remove(path)
        try FileManager.default.createSymbolicLink(
            atPath: "\(place.folder)/\(path)", withDestinationPath: target)
    }

    static let steps: [Brought] = [
        .directory("current"), .directory("current/lib"), .directory("current/new"), .file("current/lib/a", "new"),
        .file("current/new/b", "new"),
    ]

    private func survey(_ links: Endpoint.Links, _ steps: [Brought] = steps) throws -> LedgerSummary {
        try place.begin(1, place.plan(1, steps), links: links)
        return try place.survey(1)
    }

    @Test func `is not written through by default`() throws {
        let found = try survey(.deny)
        #expect(Set(found.codes) == [.ownership])
        #expect(found.survey?.faults.first?.message.contains("links: inside") == true)
    }

    @Test(arguments: ["releases/1", "./releases/../releases//1", "ABSOLUTE/releases/1", "hop"])
    func `is written through where that is allowed, and it stays what it is`(target: String) throws {
        try link("releases/1", at: "hop")
        let target = target.replacingOccurrences(of: "ABSOLUTE", with: place.folder)
        try link(target, at: "current")
        let before = try place.picture()
        #expect(try survey(.inside).codes == [])
        try place.stage(1)
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("releases/1/lib/a") == "new")
        #expect(try place.read("releases/1/new/b") == "new")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place.folder + "/current") == target)
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.picture() == before)
    }

    @Test(arguments: [
        "/etc", "../..", "releases/../../x", "loop", "nowhere", ".patchd", "releases/1/lib/a", "ABSOLUTE/../other",
        "ABSOLUTEx/releases/1",
    ])
    func `is not written through where it leads out, nowhere or to what is patchd's`(target: String) throws {
        try link("loop", at: "loop")
        try place.makeDirectory(".patchd")
        try place.write("", "../other/x")
        try place.write("", "../folderx/releases/1/x")
        try link(target.replacingOccurrences(of: "ABSOLUTE", with: place.folder), at: "current")
        let found = try survey(.inside, [.file("current/x", "new")])
        #expect(found.codes == [.ownership])
    }

    @Test func `that leads elsewhere at the switch stops the folder`() throws {
        #expect(try survey(.inside).codes == [])
        try place.stage(1)
        try link("releases/2", at: "current")
        guard case .failed(_, .io, let message) = try place.apply(1).outcome else {
            Issue.record("applied")
            return
        }
        #expect(message.contains("releases/2"))
        #expect(try place.read("releases/2/lib/a") == "old")
        #expect(try place.read("releases/1/lib/a") == "old")
    }

    @Test func `that leads out at the switch is not followed`() throws {
        #expect(try survey(.inside, [.file("current/lib/a", "new")]).codes == [])
        try place.stage(1)
        try place.write("outside", "../outside/lib/a")
        try link(place.root + "/outside", at: "current")
        guard case .failed(_, .ownership, _) = try place.apply(1).outcome else {
            Issue.record("applied")
            return
        }
        #expect(try place.read("../outside/lib/a") == "outside")
    }

    @Test func `that leads elsewhere since does not mislead a rollback`() throws {
        #expect(try survey(.inside).codes == [])
        try place.stage(1)
        try place.apply(1)
        try link("releases/2", at: "current")
        try place.beginRollback(2, of: [1])
        #expect(try place.survey(2).codes == [])
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.read("releases/1/lib/a") == "old")
        #expect(try place.read("releases/2/lib/a") == "old")
        #expect(!place.exists("releases/1/new"))
    }

    @Test func `may lead to the same file as another path of the update`() throws {
        let steps: [Brought] = [.file("current/lib/a", "one"), .file("releases/1/lib/a", "two")]
        #expect(try survey(.inside, steps).codes == [])
        try place.stage(1)
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("releases/1/lib/a") == "two")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.read("releases/1/lib/a") == "old")
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to mount")) func `may lead onto another mount`() throws {
        try place.mount("ext4", at: "vol")
        try place.write("old", "vol/lib/a")
        try link("vol", at: "current")
        #expect(try survey(.inside, [.file("current/lib/a", "new")]).codes == [])
        try place.stage(1)
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("vol/lib/a") == "new")
        #expect(place.exists("vol/.patchd/jobs/1/0"))
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.read("vol/lib/a") == "old")
    }

    @Test func `under the name of a file that is brought is replaced itself, and comes back`() throws {
        let found = try survey(.deny, [.file("current", "file")])
        #expect(found.codes == [])
        #expect(found.survey?.warnings.first?.contains("symbolic link") == true)
        try place.stage(1)
        try place.apply(1)
        #expect(try place.read("current") == "file")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.read("current/lib/a") == "old")
    }
}
