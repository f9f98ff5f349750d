import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `A job that is forgotten` {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.run(1, [.directory("d"), .file("a", "1"), .file("d/x", "1")])
        try place.run(2, [.file("d/x", "2")], from: "8.0.2", to: "8.0.3")
        try place.run(3, [.file("d/x", "3")], from: "8.0.3", to: "8.0.4")
    }

    private func forget(_ job: Int) throws -> LedgerSummary {
        try place.work(job) { (work) throws(WorkerError) in try work.forget() }
    }

    @Test func `loses its slots, and no other job does`() throws {
        let before = try place.picture()
        #expect(try forget(1).isForgotten)
        #expect(try forget(1).isForgotten, "twice is no error")
        #expect(!place.exists(".patchd/jobs/1"))
        #expect(place.exists(".patchd/jobs/2/0") && place.exists(".patchd/jobs/3/0"))
        #expect(try place.picture() == before)
        try place.revert(3)
        try place.revert(2)
        #expect(try place.read("d/x") == "1")
    }

    @Test func `can no longer be undone, and says so`() throws {
        _ = try forget(2)
        try place.beginRollback(4, of: [3, 2])
        #expect(try place.survey(4).codes == [.irreversible])
        guard case .failed(_, .irreversible, _) = try place.revert(4).outcome else {
            Issue.record("reverted")
            return
        }
        #expect(try place.read("d/x") == "3")
    }

    @Test func `still counts in the registry`() throws {
        for job in 1...3 { _ = try forget(job) }
        try place.begin(4, place.plan(4, [.file("d", "file")], from: "8.0.4", to: "8.0.5"))
        #expect(try place.survey(4).codes == [])
    }

    @Test func `loses nothing where the list of other mounts is damaged`() throws {
        try place.write("{\"schema\":1,\"mounts\":[", ".patchd/mounts.json")
        guard case .failed(_, .io, let message) = try forget(1).outcome else {
            Issue.record("forgotten")
            return
        }
        #expect(message.contains("mounts.json") && message.contains("damaged"), "\(message)")
        #expect(place.exists(".patchd/jobs/1"))
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to mount")) func `loses its slots on other mounts too`() throws {
        try place.mount("ext4", at: "vol")
        try place.run(4, [.file("vol/a", "1")], from: "8.0.4", to: "8.0.5")
        try place.run(5, [.file("vol/a", "2")], from: "8.0.5", to: "8.0.6")
        _ = try forget(4)
        #expect(!place.exists("vol/.patchd/jobs/4") && !place.exists(".patchd/jobs/4"))
        #expect(place.exists("vol/.patchd/jobs/5/0"))
        try place.unmount("vol")
        #expect(try forget(5).isForgotten)
        #expect(try place.trace(5).last?.contains("/vol stays") == true)
    }
}

@Suite struct `A verify` {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.write("mine", "mine")
        try place.run(1, [.directory("d"), .file("a", "1"), .file("d/x", "1"), .file("d/y", "1"), .file("z", "1")])
        try place.run(2, [.file("a", "2"), .remove("z")], from: "8.0.2", to: "8.0.3")
    }

    private func verify() throws -> [[String]] {
        try place.begin(9, place.plan(9, []))
        let found = try place.work(9) { (work) throws(WorkerError) in try work.verify() }
        let verified = try #require(found.verified)
        return [verified.changed, verified.missing]
    }

    @Test func `finds nothing where all is as it was brought`() throws {
        #expect(try verify() == [[], []])
    }

    @Test func `names what was changed or is missing, and nothing of anybody else`() throws {
        try place.write("other", "mine")
        try place.write("1", "a")
        try place.remove("d/x")
        try FileManager.default.createSymbolicLink(atPath: place.folder + "/d/x", withDestinationPath: "y")
        try place.remove("d/y")
        #expect(try verify() == [["a", "d/x"], ["d/y"]])
        try place.remove("d")
        #expect(try verify() == [["a"], ["d/x", "d/y"]])
    }

    @Test func `goes by the older job again after a rollback`() throws {
        try place.revert(2)
        #expect(try verify() == [[], []])
    }
}
