import Foundation
import PatchFiles
import Synchronization
import Testing

@Suite struct `The gate of a folder` {
    let path = "/tmp/patchd-gate-\(UInt64.random(in: .min ... .max))"
    let lock = "update.lock"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    @Test func `lets several in, and is drained when the last one has left`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let one = try FolderGate.open(path)
        let two = try FolderGate.open(path)
        let daemon = try FolderGate.open(path)
        #expect(try one.enter(unless: lock) == .inside)
        #expect(try two.enter(unless: lock) == .inside)
        #expect(try !daemon.drain())
        #expect(daemon.holders() == [getpid()])
        one.leave()
        #expect(try !daemon.drain())
        two.leave()
        #expect(try daemon.drain())
        #expect(daemon.holders().isEmpty)
    }

    @Test func `lets nobody in while the lock is there, and holds nothing then`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let application = try FolderGate.open(path)
        let daemon = try FolderGate.open(path)
        // Whatever lies there counts, a link to nowhere too.
        symlink("/nowhere", "\(path)/\(lock)")
        #expect(try application.enter(unless: lock) == .locked)
        #expect(daemon.holders().isEmpty)
        #expect(try daemon.drain())
        unlink("\(path)/\(lock)")
        #expect(try application.enter(unless: lock) == .inside)
    }

    @Test func `is busy while somebody has the folder for himself`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let gate = try FolderGate.open(path)
        let other = open(path, O_RDONLY | O_CLOEXEC)
        #expect(flock(other, LOCK_EX) == 0)
        #expect(try gate.enter(unless: lock) == .busy)
        close(other)
        #expect(try gate.enter(unless: lock) == .inside)
    }

    @Test func `names who inherited a place inside from a process that is gone`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let daemon = try FolderGate.open(path)
        // The shell takes the flock through flock(1), and keeps it when that has ended.
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", "exec 9<. && flock -s 9 && echo inside && read line"]
        shell.currentDirectoryURL = URL(fileURLWithPath: path)
        let (input, output) = (Foundation.Pipe(), Foundation.Pipe())
        shell.standardInput = input
        shell.standardOutput = output
        try shell.run()
        #expect(!output.fileHandleForReading.availableData.isEmpty)
        #expect(try !daemon.drain())
        #expect(daemon.holders() == [shell.processIdentifier])
        try input.fileHandleForWriting.close()
        shell.waitUntilExit()
        #expect(try daemon.drain())
    }

    /// What the threads of a race know of each other.
    private final class Race: Sendable {
        let inside = Atomic<Int>(0)
        let entries = Atomic<Int>(0)
        let isOver = Atomic<Bool>(false)
        let hasFailed = Atomic<Bool>(false)

        var isEmpty: Bool { inside.load(ordering: .sequentiallyConsistent) == 0 }
        var count: Int { entries.load(ordering: .sequentiallyConsistent) }
        var failed: Bool { hasFailed.load(ordering: .sequentiallyConsistent) }

        /// Goes in and out again, until it is over.
        func visit(_ path: String, unless lock: String) {
            while !isOver.load(ordering: .sequentiallyConsistent) {
                guard let gate = try? FolderGate.open(path), let entry = try? gate.enter(unless: lock) else {
                    return hasFailed.store(true, ordering: .sequentiallyConsistent)
                }
                guard entry == .inside else { continue }
                inside.add(1, ordering: .sequentiallyConsistent)
                entries.add(1, ordering: .sequentiallyConsistent)
                sched_yield()
                inside.subtract(1, ordering: .sequentiallyConsistent)
                gate.leave()
            }
        }
    }

    /// The promise that everything else is built on. With the two steps of either side in the other order it is broken
    /// within a few rounds.
    @Test(.timeLimit(.minutes(5)))
    func `never has somebody inside once it was drained under the lock`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let rounds = 5000
        let race = Race()
        for _ in 0..<3 {
            let (path, lock) = (path, lock)
            Thread { race.visit(path, unless: lock) }.start()
        }
        defer { race.isOver.store(true, ordering: .sequentiallyConsistent) }
        let folder = try Directory.open(path)
        let gate = try FolderGate.open(path)
        for round in 1...rounds {
            _ = try folder.createFile(lock, mode: 0o644)
            while try !gate.drain() {}
            for _ in 0..<20 {
                try #require(race.isEmpty, "somebody is inside a drained folder in round \(round)")
                sched_yield()
            }
            try folder.remove(lock)
            // Somebody has to come in between, or nothing is tested.
            let before = race.count
            while race.count == before, !race.failed { sched_yield() }
            try #require(!race.failed)
        }
        #expect(race.count >= rounds)
    }
}
