import Dispatch
import PatchModel
import Synchronization
import Testing

@testable import Supervisor

@Suite struct `A folder's thread` {
    @Test func `runs calls one after the other, in their order`() async throws {
        let thread = FolderThread(folder: "SEED", path: "/srv/SEED")
        let count = Count()
        for number in 0..<50 {
            let before = try await thread.run("look at") {
                defer { count.add() }
                return count.value
            }
            #expect(before == number)
        }
    }

    @Test func `gives what the call gave, or threw`() async throws {
        let thread = FolderThread(folder: "SEED", path: "/srv/SEED")
        #expect(try await thread.run("look at") { 42 } == 42)
        await #expect(throws: Fault(folder: "SEED", .space, "full")) {
            try await thread.run("lock") { throw Fault(folder: "SEED", .space, "full") }
        }
    }

    @Test func `gives up a call that does not end, and turns away later ones at once until it has ended`() async throws
    {
        let thread = FolderThread(folder: "SEED", path: "/srv/SEED", deadline: 0.02)
        let release = DispatchSemaphore(value: 0)
        let ended = DispatchSemaphore(value: 0)
        await #expect(throws: Fault.self) {
            try await thread.run("lock") {
                release.wait()
                ended.signal()
            }
        }
        #expect(thread.isStuck)
        let error = await #expect(throws: Fault.self) { try await thread.run("unlock") {} }
        #expect(error?.code == .io && error?.message.contains("does not answer") == true)
        release.signal()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global().async {
                ended.wait()
                continuation.resume()
            }
        }
        while thread.isStuck { await Task.yield() }
        #expect(try await thread.run("unlock") { 1 } == 1)
    }

    @Test func `of one folder holds up no other's`() async throws {
        let release = DispatchSemaphore(value: 0)
        let stuck = FolderThread(folder: "SEED", path: "/srv/SEED", deadline: 0.01)
        await #expect(throws: Fault.self) { try await stuck.run("lock") { release.wait() } }
        #expect(try await FolderThread(folder: "PAIE", path: "/srv/PAIE").run("lock") { true })
        release.signal()
    }
}

@Suite struct `A wake signal` {
    @Test func `that was raised before ends the next sleep at once, and stays raised until it is cleared`() async {
        let signal = WakeSignal()
        signal.raise()
        await signal.sleep(seconds: nil)
        #expect(signal.isRaised)
        #expect(signal.take())
        #expect(!signal.isRaised)
        #expect(!signal.take())
        await signal.sleep(seconds: 0.01)
        #expect(!signal.isRaised)
    }

    @Test func `wakes a task that sleeps without end`() async {
        let signal = WakeSignal()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await signal.sleep(seconds: nil) }
            group.addTask { signal.raise() }
        }
        #expect(signal.isRaised)
    }

    @Test func `never loses one of many raises and sleeps`() async {
        let signal = WakeSignal()
        let count = Count()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while count.value < 1000 {
                    signal.clear()
                    // As its owner does: it looks at what there is to do after it has cleared the signal.
                    if count.value < 1000 { await signal.sleep(seconds: nil) }
                }
            }
            group.addTask {
                for _ in 0..<1000 {
                    count.add()
                    signal.raise()
                    await Task.yield()
                }
            }
        }
    }

    @Test func `lets a cancelled task go`() async {
        let signal = WakeSignal()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await signal.sleep(seconds: nil) }
            group.cancelAll()
        }
    }
}

@Suite struct `The gate of turns` {
    @Test func `is closed until the first requests were looked at, and while others are`() async {
        let gate = TurnGate()
        let passed = Count()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await gate.pass()
                passed.add()
            }
            await Task.yield()
            #expect(passed.value == 0)
            gate.open()
        }
        #expect(passed.value == 1)
        await gate.pass()
    }
}

/// A number that several tasks count.
private final class Count: Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .relaxed) }

    func add() { number.add(1, ordering: .relaxed) }
}
