import Foundation
import PatchStore
import Testing

@testable import PatchModel

@Suite struct `The index of jobs` {
    let store: Store
    private var state: StateDirectory { store.state }

    init() throws { store = try Store() }

    @Test func `is empty before the first job, and comes back as it was written`() throws {
        #expect(try state.jobIndex() == JobIndex())
        let index = JobIndex(next: 1601, live: Set(1...1200).union([1500, 1600]), turns: [3: 7])
        try state.write(index)
        #expect(try state.jobIndex() == index)
        #expect(try store.read("jobs/index.json").contains("\"1-1200,1500,1600\""))
    }

    @Test func `is made anew from the directories when it is missing or damaged, and all jobs are live then`() throws {
        for number in [1, 2, 5] { try state.create(Store.job(number)) }
        #expect(try state.jobIndex() == JobIndex(next: 6, live: [1, 2, 5]))
        for text in ["", "{", "{\"schema\":1,\"next\":3,\"live\":\"2-1\",\"turns\":[]}", "\u{0}\u{0}"] {
            try store.write(text, "jobs/index.json")
            var damages = 0
            #expect(try state.jobIndex { _ in damages += 1 } == JobIndex(next: 6, live: [1, 2, 5]))
            #expect(damages == 1, "\(text)")
        }
    }

    @Test func `never gives a number again that a folder or its history has`() throws {
        let version = try #require(Version("8.0.2"))
        var folder = FolderState(
            endpoint: "payroll", folder: "SEED", version: version, path: "/srv", owner: "", at: .now)
        folder.job = 7
        try state.write(folder)
        #expect(try state.jobIndex().next == 8)
        try state.write(JobIndex(next: 3))
        #expect(try state.jobIndex().next == 8, "also when the job itself was moved away")
        try FileManager.default.removeItem(atPath: "\(store.path)/jobs/index.json")
        try state.record(
            HistoryEntry(
                job: 9, operation: .apply, update: "X", from: nil, to: version, state: .done, at: .now),
            folder: "SEED", of: "payroll")
        #expect(try state.jobIndex().next == 10)
    }

    @Test func `learns of jobs that an older patchd added`() throws {
        try state.write(JobIndex(next: 3, live: [2]))
        for number in [3, 4] { try state.create(Store.job(number)) }
        #expect(try state.jobIndex() == JobIndex(next: 5, live: [2, 3, 4]))
    }

    @Test func `says which jobs are read by who needs no others, and names those that are damaged`() throws {
        for number in 1...6 { try state.create(Store.job(number)) }
        // The index is written before the job is made, and the next number after it.
        try state.write(JobIndex(next: 6, live: [2, 4, 6, 7]))
        try store.write("{", "jobs/4/job.json")
        var damaged: [Int] = []
        #expect(try state.liveJobs { number, _ in damaged.append(number) }.map(\.job) == [2, 6])
        #expect(damaged == [4])
    }

    @Test func `lets a start clear only what live jobs left`() throws {
        for number in 1...2 {
            try state.create(Store.job(number))
            try store.write("x", "jobs/\(number)/.job.json.1.tmp")
        }
        try state.write(JobIndex(next: 3, live: [2]))
        try state.removeLeftovers()
        #expect(store.exists("jobs/1/.job.json.1.tmp") && !store.exists("jobs/2/.job.json.1.tmp"))
    }
}
