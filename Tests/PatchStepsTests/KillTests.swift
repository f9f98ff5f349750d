import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

/// The real program, killed at each of its fault points in turn, or told there that a call failed.
@Suite struct `A worker that is cut off` {
    /// What a fault point does.
    enum Cut: String, CaseIterable, Sendable {
        case kill
        /// EIO.
        case error = "5"
    }

    enum Phase: String, CaseIterable, Sendable { case stage, apply, revert }

    /// Every kind of step, two patches with one file, scripts, a directory and a file that change places, a directory that
    /// goes with a file of the admin's, a kept file, a file on another mount and one behind a link.
    static let steps: [Brought] = [
        .directory("lib"), .directory("lib/new"), .file("lib/a", "new a"), .file("lib/equal", "equal"),
        .file("lib/new/b", "new b", mode: 0o755), .file("app.ini", "new ini", keep: true),
        .file("own.ini", "new own", keep: true), .file("dir", "a file now"), .directory("was-file"),
        .file("was-file/x", "x"), .remove("gone"),
        .delete("old/mine"), .delete("old"),
        .registry("new registry", was: "old registry.json"), .script("8.0.3~a.sh", "echo a > script-a"),
        .script("8.0.3.sh", "cat lib/a > script-b"), .file("lib/a", "newer a", patch: "BIS"),
        .registry("newer registry", was: "old registry.json", patch: "BIS"), .file("vol/a", "new vol", patch: "BIS"),
        .file("current/c", "new c", patch: "BIS"),
        .script("8.0.3_bis.sh", "cat lib/a > script-c", patch: "BIS"),
    ]
    static let downgrades: [Brought] = [
        .script("8.0.3.sh", "rm -f script-c", patch: "BIS"), .script("8.0.3.sh", "rm -f script-b"),
        .script("8.0.3~a.sh", "rm -f script-a"),
    ]
    /// What the folder may show in between besides the old and the new.
    static let between: Set<String> = ["new a", "new registry"]

    /// A folder at 8.0.2 with job 2 looked at.
    private func prepared() throws -> Workplace {
        // In memory: what is killed here is the order of calls, and a disk would only make it slow.
        let place = try Workplace(in: "/dev/shm")
        try place.makeDirectory("vol")
        if geteuid() == 0 {
            try FileManager.default.createDirectory(atPath: "\(place.root)/vol", withIntermediateDirectories: true)
            try place.bind("\(place.root)/vol", at: "vol")
        }
        try FileManager.default.createSymbolicLink(atPath: place.folder + "/current", withDestinationPath: "lib")
        for path in ["lib/a", "vol/a", "gone", "was-file", "registry.json"] { try place.write("old \(path)", path) }
        try place.write("equal", "lib/equal")
        try place.write("mine", "app.ini")
        try place.run(
            1,
            [
                .directory("dir"), .directory("dir/deep"), .file("dir/deep/x", "x"),
                .file("own.ini", "own", keep: true),
                .directory("old"), .directory("old/deep", mode: 0o750), .file("old/deep/x", "x", mode: 0o640),
            ])
        try place.write("mine", "old/mine")
        try place.begin(
            2, place.plan(2, Self.steps, downgrades: Self.downgrades, from: "8.0.2", to: "8.0.3"), links: .inside)
        #expect(try place.survey(2).survey?.faults == [])
        return place
    }

    @Test(arguments: Phase.allCases, Cut.allCases)
    func `at any fault point goes on as if undisturbed`(phase: Phase, cut: Cut) throws {
        let undisturbed = try prepared()
        let before = try undisturbed.picture()
        try undisturbed.stage(2)
        #expect(try undisturbed.apply(2).outcome == .done)
        let after = try undisturbed.picture()
        #expect(after != before)
        try undisturbed.revert(2)
        #expect(try undisturbed.picture() == before)

        var point = 1
        while point < 1000 {
            let place = try prepared()
            for earlier in Phase.allCases.prefix(while: { $0 != phase }) { try place.go(earlier, 2) }
            let end = try place.start(phase.rawValue, 2, fault: "\(cut.rawValue):\(point)")
            guard place.hasFired else {
                #expect(end == .code(0))
                break
            }
            try check(place.picture(), before: before, after: after, point)
            // A failure that was recorded is gone on with as an admin says; what was killed is simply started again.
            if case .failed = try place.summary(2).outcome { try place.resume(2) }
            for next in Phase.allCases.drop(while: { $0 != phase }) {
                if next == .revert, phase != .revert {
                    let now = try place.picture()
                    #expect(now == after, "point \(point): \(Set(now).symmetricDifference(after).sorted())")
                }
                try place.go(next, 2)
            }
            #expect(try place.summary(2).outcome == .reverted, "point \(point)")
            #expect(try place.picture() == before, "point \(point)")
            #expect(try place.inode("lib/a") == place.original, "point \(point)")
            point += 1
        }
        print("worker cut off in \(phase) at \(point - 1) points (\(cut))")
        #expect(point > 15)
    }

    /// At every instant each file is an old one or a new one, whole, and no file that both have is missing.
    private func check(_ now: [String], before: [String], after: [String], _ point: Int) {
        for line in now where !before.contains(line) && !after.contains(line) {
            #expect(Self.between.contains { line.hasSuffix($0.debugDescription) }, "point \(point): \(line)")
        }
        func names(_ lines: [String]) -> Set<String> {
            Set(lines.compactMap { $0.split(separator: " ").first.map(String.init) })
        }
        let missing = names(before).intersection(names(after)).subtracting(names(now))
        #expect(missing.isEmpty, "point \(point)")
    }

    /// Every start is killed one fault point later than the one before, until one gets through.
    @Test func `again and again on its way back ends where it began`() throws {
        let place = try prepared()
        let before = try place.picture()
        try place.stage(2)
        try place.apply(2)
        try place.beginRollback(3, of: [2, 1])
        try place.survey(3)
        var starts = 0
        while try place.summary(3).outcome != .reverted, starts < 1000 {
            let end = try place.start("revert", 3, fault: "kill:next")
            // A script that was cut off too often waits for an admin.
            if end == .code(0), case .failed = try place.summary(3).outcome { try place.resume(3) }
            starts += 1
        }
        #expect(starts > 10)
        #expect(try place.summary(3).outcome == .reverted)
        try place.begin(4, place.plan(4, []))
        #expect(try place.work(4) { (work) throws(WorkerError) in try work.verify() }.verified?.changed == [])
        #expect(!place.exists("dir") && !place.exists("own.ini"))
        let others = before.filter { line in !["dir", "own.ini", "old/deep"].contains { line.hasPrefix($0) } }
        #expect(try place.picture() == others)
    }
}

extension Workplace {
    /// Runs a phase of a job, undisturbed and in this process, which is faster.
    fileprivate func go(_ phase: `A worker that is cut off`.Phase, _ job: Int) throws {
        switch phase {
        case .stage: try stage(job)
        case .apply: try apply(job)
        case .revert: try revert(job)
        }
    }

    /// The inode that `lib/a` had before job 2.
    fileprivate var original: UInt64? {
        get throws {
            let slots = try summary(2).slots
            return slots.values.first { $0.place == "lib/a" && $0.step == 2 }?.replaces
        }
    }
}
