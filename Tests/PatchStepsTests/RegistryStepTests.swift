import Foundation
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `The registry of a folder's tables and forms` {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test func `is made where there is none, and goes again with a revert`() throws {
        #expect(try place.run(1, [.registry("one", was: nil)]).outcome == .done)
        #expect(try place.read("registry.json") == "one")
        #expect(place.mode("registry.json") == 0o644)
        try place.revert(1)
        #expect(try place.picture() == [])
    }

    @Test func `is switched once for each patch, keeps its mode, and comes back as it was`() throws {
        try place.write("old", "registry.json")
        chmod(place.folder + "/registry.json", 0o640)
        let before = try place.picture()
        let inode = place.inode("registry.json")
        try place.run(
            1, [.registry("one", was: "old"), .file("a", "a"), .registry("two", was: "old", patch: "BIS")])
        #expect(try place.read("registry.json") == "two")
        #expect(place.mode("registry.json") == 0o640)
        try place.revert(1)
        #expect(try place.picture() == before)
        #expect(place.inode("registry.json") == inode)
    }

    @Test func `that is there already counts as equal, also for the next patch`() throws {
        try place.write("old", "registry.json")
        let steps: [Brought] = [
            .registry("old", was: "old"), .registry("one", was: "old", patch: "BIS"),
            .registry("one", was: "old", patch: "TER"),
        ]
        try place.begin(1, place.plan(1, steps))
        let summary = try place.survey(1)
        #expect(summary.equal == [0, 2])
        #expect(summary.survey?.faults == [])
        try place.stage(1)
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("registry.json") == "one")
    }

    @Test(arguments: ["changed", nil]) func `is a fault where it is not what the plan was made from`(
        _ text: String?
    ) throws {
        if let text { try place.write(text, "registry.json") }
        try place.begin(1, place.plan(1, [.registry("one", was: "old")]))
        #expect(try place.survey(1).codes == [.io])
    }

    @Test(arguments: [0, 1])
    func `that somebody changed before its switch stops the folder, until it is as it was`(_ switched: Int) throws {
        try place.write("old", "registry.json")
        // With a script in between, the second one is looked at after the first is live.
        let steps: [Brought] = [
            .registry("one", was: "old"), .script("8.0.2.sh", switched == 1 ? "echo mine > registry.json" : "true"),
            .registry("two", was: "old", patch: "BIS"),
        ]
        try place.begin(1, place.plan(1, steps, downgrades: [.script("8.0.2.sh", "true")]))
        try place.survey(1)
        try place.stage(1)
        if switched == 0 { try place.write("mine", "registry.json") }
        let failed = try place.apply(1)
        guard case .failed(let step, .io, let message) = failed.outcome else {
            Issue.record("went on: \(failed.outcome)")
            return
        }
        #expect(step == switched * 2)
        #expect(message.contains("changed since") && message.contains("resume"))
        #expect(try place.read("registry.json").hasPrefix("mine"))
        try place.write(switched == 0 ? "old" : "one", "registry.json")
        var ledger = try Ledger(place.ledgerFile(1))
        try ledger.append(.resumed)
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("registry.json") == "two")
    }

    @Test func `that somebody changed since is kept beside it by a revert`() throws {
        try place.write("old", "registry.json")
        try place.run(1, [.registry("one", was: "old")])
        try place.write("mine", "registry.json")
        try place.revert(1)
        #expect(try place.read("registry.json") == "old")
        #expect(try place.read("registry.json.patchd-old") == "mine")
    }
}
