import Foundation
import Testing

/// The shortest of what random sequences once found, by the seed that did.
@Suite struct `Sequences that once parted` {
    @Test func `a folder below a rolled back one is not behind it (136148513)`() throws {
        try run(
            tree: [("F0", nil, 2), ("F1", "F0", 2), ("F2", "F1", 1)],
            [
                .drop(TestUpdate(version: 3, variant: 1, script: .none), exclude: ["F1"], only: [], failingIn: []),
                .rollbackFolder("F0", to: nil),
            ])
    }

    @Test func `a folder that failed stays failed beside a rollback that is refused (136148530)`() throws {
        let two = TestUpdate(version: 2, variant: 0, script: .withDowngrade)
        let three = TestUpdate(version: 3, variant: 1, script: .withDowngrade)
        let four = TestUpdate(version: 4, variant: 0, script: .oneWay)
        try run(
            tree: [("F0", nil, 1), ("F1", "F0", 1), ("F2", "F0", 1)],
            [
                .drop(two, exclude: [], only: [], failingIn: []),
                .drop(four, exclude: [], only: [], failingIn: ["F1"]),
                .rollbackFolder("F1", to: nil),
                .drop(four, exclude: [], only: [], failingIn: []),
                .catchup("F1"),
                .drop(three, exclude: [], only: [], failingIn: []),
                .rollbackJob(6),
            ])
    }

    @Test func `a job that waits goes on waiting when it is resumed (854692199)`() throws {
        let two = TestUpdate(version: 2, variant: 1, script: .withDowngrade)
        let three = TestUpdate(version: 3, variant: 0, script: .none)
        let four = TestUpdate(version: 4, variant: 1, script: .withDowngrade)
        try run(
            tree: [("F0", nil, 1), ("F1", "F0", 1), ("F2", "F1", 1), ("F3", "F2", 1)], retain: 2,
            [
                .drop(two, exclude: [], only: [], failingIn: ["F3"]),
                .rollbackFolder("F2", to: 1),
                .rollbackFolder("F1", to: nil),
                .drop(four, exclude: ["F3"], only: [], failingIn: ["F3"]),
                .drop(four, exclude: ["F3"], only: [], failingIn: []),
                .drop(three, exclude: [], only: ["F0"], failingIn: []),
                .rollbackFolder("F0", to: nil),
                .resume(6, fixed: false, assumed: nil, skip: []),
            ])
    }

    @Test func `a job that is cancelled after it was resumed holds what it left half done`() throws {
        let two = TestUpdate(version: 2, variant: 0, script: .withDowngrade)
        try run(
            tree: [("F0", nil, 1), ("F1", "F0", 1)],
            [
                .drop(two, exclude: [], only: [], failingIn: ["F0"]),
                .hold("ALL"),
                .resume(1, fixed: true, assumed: nil, skip: []),
                .cancel(1),
                .unhold("ALL"),
                .resume(1, fixed: false, assumed: nil, skip: []),
            ])
    }

    @Test func `a job does not go on where a folder was given another version (77018)`() throws {
        let two = TestUpdate(version: 2, variant: 0, script: .withDowngrade)
        let three = TestUpdate(version: 3, variant: 0, script: .oneWay)
        try run(
            tree: [("F0", nil, 1), ("F1", "F0", 1)],
            [
                .drop(two, exclude: [], only: [], failingIn: []),
                .drop(three, exclude: [], only: [], failingIn: ["F0"]),
                .rollbackFolder("F1", to: nil),
                .resume(2, fixed: true, assumed: nil, skip: []),
                .resume(2, fixed: true, assumed: nil, skip: ["F1"]),
            ])
    }

    @Test func `the same archive waits where a folder was given another version`() throws {
        let two = TestUpdate(version: 2, variant: 0, script: .withDowngrade)
        let three = TestUpdate(version: 3, variant: 0, script: .oneWay)
        try run(
            tree: [("F0", nil, 1), ("F1", "F0", 1)],
            [
                .drop(two, exclude: [], only: [], failingIn: []),
                .drop(three, exclude: [], only: [], failingIn: ["F0"]),
                .rollbackFolder("F1", to: nil),
                .drop(three, exclude: [], only: [], failingIn: []),
                .resume(2, fixed: true, assumed: nil, skip: ["F1"]),
            ])
    }

    private func run(tree: [(name: String, parent: String?, version: Int)], retain: Int = 4, _ actions: [Action]) throws
    {
        let cache = "\(ModelHost.base)/patchd-model-archives-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: cache) }
        let start = Model(
            onFailure: .hold, retain: retain,
            folders: tree.map { ModelFolder(name: $0.name, parent: $0.parent, version: $0.version) })
        let difference = try Sequence(start: start, steps: actions.map { Step(action: $0) }).run(cache: cache)
        #expect(difference == nil, "\(difference?.lines.joined(separator: "\n") ?? "")")
    }
}
