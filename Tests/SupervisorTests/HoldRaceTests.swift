import Foundation
import Logging
import PatchFiles
import PatchModel
import Synchronization
import Testing

@testable import Supervisor

@Suite struct `Hold and lock` {
    /// One side writes `update.lock` and looks for a hold, the other one writes a hold and looks for `update.lock`, as fast
    /// as they can. Who sees the other gives way; so both may give way, and never are both inside.
    @Test func `are never both granted, in thousands of rounds`() async throws {
        let root = "/dev/shm/patchd-race-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for name in ["holds", "SEED"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        let logger = Logger(label: "race") { _ in SwiftLogNoOpLogHandler() }
        let endpoint = Endpoint(
            name: "payroll", path: root, folders: [Folder(name: "SEED", parent: nil, path: "\(root)/SEED")])
        let holds = Holds(path: "\(root)/holds", logger: logger)
        let watch = try DirectoryWatch([root])
        let folder = try #require(endpoint.folders.first)
        let file = FolderLock(folder, thread: FolderThread(folder: folder.name, path: folder.path), watch: watch)
        let lock = UpdateLock(
            endpoint: "payroll", folder: "SEED", phase: .disconnect, update: "A", from: nil, to: nil, job: 1,
            since: .now)
        let room = Room()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { room.isOver.store(true, ordering: .relaxed) }
                for _ in 0..<4000 {
                    file.want(lock)
                    _ = try await file.settle()
                    let standing = try holds.standing(on: "payroll", ["SEED"]) { _, _ in true }.first
                    if standing == nil {
                        room.enter()
                        room.jobs.add(1, ordering: .relaxed)
                    }
                    file.want(nil)
                    _ = try await file.settle()
                }
            }
            group.addTask {
                try await Self.onThread {
                    let directory = try Directory.open("\(root)/holds")
                    let folder = try Directory.open("\(root)/SEED")
                    while !room.isOver.load(ordering: .relaxed) {
                        try directory.replaceFile("payroll.SEED.lock", with: Array("dump\n".utf8))
                        if try folder.status("update.lock") == nil {
                            room.enter()
                            room.holds.add(1, ordering: .relaxed)
                        }
                        try directory.remove("payroll.SEED.lock")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(room.clashes.load(ordering: .relaxed) == 0)
        let jobs = room.jobs.load(ordering: .relaxed)
        let granted = room.holds.load(ordering: .relaxed)
        #expect(jobs > 0 && granted > 0, "both sides came in at times")
    }

    /// Both sides block; the threads that tasks share are not theirs.
    private static func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread { done.resume(with: Result { try body() }) }
        }
    }
}

/// What only one side may be in.
private final class Room: Sendable {
    let isOver = Atomic<Bool>(false)
    let clashes = Atomic<Int>(0)
    let jobs = Atomic<Int>(0)
    let holds = Atomic<Int>(0)
    private let inside = Atomic<Int>(0)

    /// Inside for a moment, in which the other side must not be.
    func enter() {
        if inside.add(1, ordering: .sequentiallyConsistent).oldValue != 0 { clashes.add(1, ordering: .relaxed) }
        for _ in 0..<20 { sched_yield() }
        inside.subtract(1, ordering: .sequentiallyConsistent)
    }
}
