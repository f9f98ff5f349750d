import Foundation
import Synchronization
import Testing

@Suite struct `Random sequences of commands` {
    /// `MODEL_SEED` repeats a run, `MODEL_COUNT` says how many sequences; `scripts/model-test` sets both. Without them the
    /// same hundred run each time, so that what turns red is the change's doing; the script looks for more.
    @Test func `lead to what the model of the contract says, whatever is killed on the way`() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["MODEL_SEED"].flatMap(UInt64.init) ?? 390_073_092
        let count = environment["MODEL_COUNT"].flatMap(Int.init) ?? 100
        let cache = "\(ModelHost.base)/patchd-model-archives-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: cache) }
        print("model test: \(count) sequences from MODEL_SEED=\(seed)")
        let begun = Date()
        let run = SequenceRun(seed: seed, count: count, cache: cache)
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Half of the time a sequence waits for its programs' files, locks and children.
            for _ in 0..<4 { group.addTask { try await run.workOnThread() } }
            try await group.waitForAll()
        }
        let seconds = Int(Date().timeIntervalSince(begun))
        print("model test: \(count) sequences, \(run.steps) commands, \(run.kills) with a kill, \(seconds) s")
        #expect(run.steps >= count * 5)
    }
}

/// Takes sequence after sequence; several of them work side by side.
final class SequenceRun: Sendable {
    private struct Progress {
        var next = 0
        var steps = 0
        var kills = 0
        var failures = 0
    }

    private let seed: UInt64
    private let count: Int
    private let cache: String
    private let progress = Mutex(Progress())

    var steps: Int { progress.withLock { $0.steps } }
    var kills: Int { progress.withLock { $0.kills } }

    init(seed: UInt64, count: Int, cache: String) {
        self.seed = seed
        self.count = count
        self.cache = cache
    }

    /// Waiting for programs blocks: on the threads that tasks share, it would hold up all other tests.
    func workOnThread() async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread { done.resume(with: Result { try self.work() }) }
        }
    }

    /// Works until no sequence is left, or until enough of them differ.
    func work() throws {
        while let number = progress.withLock({ progress -> Int? in
            guard progress.next < count, progress.failures < 10 else { return nil }
            progress.next += 1
            return progress.next - 1
        }) {
            let sequence = Sequence(seed: seed &+ UInt64(number))
            progress.withLock { progress in
                progress.steps += sequence.steps.count
                progress.kills += sequence.steps.count { $0.kill != nil }
            }
            if number > 0, number.isMultiple(of: 100) {
                print("model test: \(number) sequences begun")
                fflush(nil)
            }
            guard let difference = try sequence.run(cache: cache) else { continue }
            progress.withLock { $0.failures += 1 }
            let (shortest, left) = try sequence.shrunk(difference, cache: cache)
            Issue.record(
                """
                MODEL_SEED=\(seed &+ UInt64(number)) MODEL_COUNT=1: model and program part after \(difference.count) commands:
                \(difference.lines.joined(separator: "\n"))
                The shortest that was found, \(shortest.text)
                \(left.lines.joined(separator: "\n"))
                """)
        }
    }
}
