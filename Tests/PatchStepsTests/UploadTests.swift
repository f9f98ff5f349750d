import Foundation
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `A file that is uploaded` {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test func `is found by the scripts of its patch, and by no others, and goes with the job's originals`() throws {
        let steps: [Brought] = [
            .upload("Data/A.DBM", "rows"), .upload("B", "b"), .upload("Data/A.DBM", "rows"),
            .script("8.0.2.sh", "cat \"$PATCHD_UPLOADS/Data/A.DBM\" \"$PATCHD_UPLOADS/B\" > got"),
            .script("8.0.2.sh", "echo \"${PATCHD_UPLOADS-none}\" > other", patch: "BIS"),
        ]
        let summary = try place.run(
            1, steps,
            downgrades: [
                .script("8.0.2.sh", "rm got"), .script("8.0.2.sh", "rm other", patch: "BIS"),
            ])
        #expect(summary.outcome == .done)
        #expect(try place.read("got") == "rowsb")
        #expect(try place.read("other") == "none\n")
        #expect(try place.picture().count == 2, "nothing of it is in the folder")
        try place.revert(1)
        #expect(try place.picture() == [])
        try place.work(1) { (work) throws(WorkerError) in try work.forget() }
        #expect(!place.exists(".patchd/jobs/1"))
    }

    @Test func `is there after a kill while it was staged`() throws {
        for point in 1...40 {
            let place = try Workplace(in: "/dev/shm")
            try place.begin(
                1, place.plan(1, [.upload("d/a", "a"), .script("8.0.2.sh", "cp $PATCHD_UPLOADS/d/a got")]))
            try place.survey(1)
            try place.start("stage", 1, fault: "kill:\(point)")
            if !place.hasFired { break }
            try place.stage(1)
            try place.apply(1)
            #expect(try place.read("got") == "a")
        }
    }
}

@Suite struct `Files that are there already` {
    @Test func `are listed by name in the trace`() throws {
        let place = try Workplace()
        try place.write("same", "lib/a")
        try place.run(1, [.directory("lib"), .file("lib/a", "same"), .file("b", "b")])
        let trace = try place.trace(1)
        #expect(trace.contains("already up to date: file lib/a"))
        #expect(!trace.contains { $0.contains("already up to date: file b") })
    }
}
