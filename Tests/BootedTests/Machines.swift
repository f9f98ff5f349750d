import Foundation
import Testing

/// The machines of one test: taken down when it ends, and what they knew is kept when it failed.
final class Machines: @unchecked Sendable {
    /// Those of the test that runs.
    @TaskLocal static var current: Machines?

    private let lock = NSLock()
    private var all: [Machine] = []
    private var failed = ProcessInfo.processInfo.environment["KEEP"] != nil
    private let name: String

    init(of test: String) {
        let words = test.unicodeScalars.map { CharacterSet.alphanumerics.contains($0) ? Character($0) : "-" }
        name = String(words).trimmingCharacters(in: CharacterSet(charactersIn: "-"))
    }

    func add(_ machine: Machine) { lock.withLock { all.append(machine) } }

    func fail() { lock.withLock { failed = true } }

    func takeDown() {
        let (machines, failed) = lock.withLock { (all, self.failed) }
        for (number, machine) in machines.enumerated() {
            machine.powerCut()
            if failed { machine.save(to: "\(Self.failures)/\(name)\(number == 0 ? "" : "-\(number + 1)")") }
            machine.takeDown()
        }
    }

    /// Where the journals and state directories of failed tests are kept.
    static let failures = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../../.build/booted-failures").standardizedFileURL.path

    /// Takes down what test processes left behind that were killed together with their machines' keepers.
    static let swept: Void = { _ = try? Command.run(Machine.script, ["sweep"]) }()
}

/// Gives each test machines to boot, two tests at a time.
struct BootsMachines: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true
    private static let places = Places(2)

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Self.places.take()
        let machines = Machines(of: test.displayName ?? test.name)
        let watched = IssueHandlingTrait.compactMapIssues {
            machines.fail()
            return $0
        }
        let result: Result<Void, any Error>
        do {
            try await watched.provideScope(for: test, testCase: testCase) {
                try await Machines.$current.withValue(machines) { try await function() }
            }
            result = .success(())
        } catch {
            machines.fail()
            result = .failure(error)
        }
        machines.takeDown()
        await Self.places.give()
        try result.get()
    }
}

extension Trait where Self == BootsMachines {
    /// The tests may make machines.
    static var bootsMachines: Self { BootsMachines() }
}

/// Lets only so many tests have machines at once.
private actor Places {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func give() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
