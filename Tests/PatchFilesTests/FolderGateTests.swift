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
        private let inside = Atomic<Int>(0)
        private let entries = Atomic<Int>(0)
        private let drained = Atomic<Bool>(false)
        private let broken = Atomic<Bool>(false)
        private let over = Atomic<Bool>(false)

        var count: Int { entries.load(ordering: .sequentiallyConsistent) }

        /// Somebody was inside a drained folder, or could not look.
        var isBroken: Bool {
            broken.load(ordering: .sequentiallyConsistent)
                || isDrained && inside.load(ordering: .sequentiallyConsistent) != 0
        }

        var isDrained: Bool {
            get { drained.load(ordering: .sequentiallyConsistent) }
            set { drained.store(newValue, ordering: .sequentiallyConsistent) }
        }

        func end() { over.store(true, ordering: .sequentiallyConsistent) }

        /// Goes in and out again, until it is over.
        func visit(_ path: String, unless lock: String) {
            while !over.load(ordering: .sequentiallyConsistent) {
                guard let gate = try? FolderGate.open(path), let entry = try? gate.enter(unless: lock) else {
                    return broken.store(true, ordering: .sequentiallyConsistent)
                }
                if entry == .inside {
                    inside.add(1, ordering: .sequentiallyConsistent)
                    entries.add(1, ordering: .sequentiallyConsistent)
                    for _ in 0..<3 {
                        sched_yield()
                        if isDrained { broken.store(true, ordering: .sequentiallyConsistent) }
                    }
                    inside.subtract(1, ordering: .sequentiallyConsistent)
                    gate.leave()
                } else {
                    sched_yield()
                }
            }
        }
    }

    /// The promise that everything else is built on. With the two steps of ``FolderGate/enter(unless:)`` in the other order
    /// it is broken after one or two thousand rounds.
    @Test(.timeLimit(.minutes(5)))
    func `never has somebody inside once it was drained under the lock`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let rounds = 10000
        let race = Race()
        for _ in 0..<3 {
            let (path, lock) = (path, lock)
            Thread { race.visit(path, unless: lock) }.start()
        }
        defer { race.end() }
        let folder = try Directory.open(path)
        let gate = try FolderGate.open(path)
        for round in 1...rounds {
            _ = try folder.createFile(lock, mode: 0o644)
            while try !gate.drain() { sched_yield() }
            race.isDrained = true
            for _ in 0..<10 {
                // No expectation for each: a hundred thousand would take minutes.
                if race.isBroken { Issue.record("somebody is inside a drained folder, in round \(round)") }
                if race.isBroken { return }
                sched_yield()
            }
            race.isDrained = false
            try folder.remove(lock)
            // Somebody has to come in between, or nothing is tested.
            let before = race.count
            while race.count == before, !race.isBroken { sched_yield() }
        }
        #expect(race.count >= rounds)
    }
}
