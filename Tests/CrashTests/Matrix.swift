import Foundation
import Support
import Synchronization

/// Makes cuts side by side and counts them.
final class Matrix: Sendable {
    /// How many were made, and which ended otherwise than an undisturbed run.
    struct Tally {
        var planned: [String: Int] = [:]
        var made: [String: Int] = [:]
        var missed: [String: Int] = [:]
        var bad: [(cut: Cut, problem: String)] = []
    }

    private let cuts: [Cut]
    private let begun = Date()
    private let end: Date
    private let next = Atomic<Int>(0)
    private let tally = Mutex(Tally())

    /// - Parameter minutes: after them no further cut is begun.
    init(_ cuts: [Cut], minutes: Double) {
        self.cuts = cuts
        end = Date().addingTimeInterval(minutes * 60)
        tally.withLock { tally in for cut in cuts { tally.planned[cut.level, default: 0] += 1 } }
    }

    /// Runs them all, in lanes; half of the time a lane waits for the kernel.
    func run() async throws -> Tally {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 { group.addTask { try await OwnMounts.run { self.lane() } } }
            try await group.waitForAll()
        }
        return tally.withLock { $0 }
    }

    private func lane() {
        var benches: [String: Workbench] = [:]
        while Date() < end {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < cuts.count else { return }
            let cut = cuts[index]
            let key = "\(cut.disk) \(cut.scenario)"
            do {
                let bench = try benches[key] ?? Workbench(cut.scenario, on: cut.disk)
                benches[key] = bench
                try bench.reset()
                let came = try bench.disturb(cut)
                if let again = cut.again { try bench.killAgain(at: again) }
                note(cut, came: came, problem: try bench.recover(from: cut))
            } catch {
                // The next cut gets a host that nothing has happened to.
                benches[key] = nil
                note(cut, came: true, problem: "\(error)")
            }
        }
    }

    private func note(_ cut: Cut, came: Bool, problem: String?) {
        let (count, isBad) = tally.withLock { tally in
            if came { tally.made[cut.level, default: 0] += 1 } else { tally.missed[cut.level, default: 0] += 1 }
            if let problem { tally.bad.append((cut, problem)) }
            return (tally.made.values.reduce(0, +), problem != nil)
        }
        if isBad {
            print("bad: \(cut)\n\(problem ?? "")")
        } else if count % 100 == 0 {
            print("\(count) cuts, \(Int(Date().timeIntervalSince(begun))) s")
        }
        fflush(nil)
    }
}

extension Matrix {
    /// Every cut of the levels `kill`, `power`, `errno`.
    static func all(_ levels: Set<String>, seed: UInt64) throws -> [Cut] {
        var generator = SeededGenerator(seed: seed)
        let isRoot = geteuid() == 0
        var cuts: [Cut] = []
        for scenario in Scenario.allCases {
            let bench = try Workbench(scenario, on: isRoot ? .ext4 : .directory)
            for isCall in [false, true] {
                let counts = try bench.count(isCall: isCall)
                let text = counts.map { "\($0.target) \($0.call.map { $0 + " " } ?? "")\($0.count)" }.joined(
                    separator: ", ")
                print("\(scenario.rawValue), \(isCall ? "system calls" : "fault points"): \(text)")
                for (target, call, count) in counts where count > 0 {
                    for number in 1...count {
                        var cut = Cut(
                            disk: bench.disk.kind, scenario: scenario, target: target, call: call, number: number,
                            effect: .kill)
                        if levels.contains("kill") {
                            cuts.append(cut)
                            cut.again = Int.random(in: 1...60, using: &generator)
                            cuts.append(cut)
                            cut.again = nil
                        }
                        for name in Cut.errors.keys.sorted() where levels.contains("errno") {
                            cut.effect = .error(name)
                            cuts.append(cut)
                        }
                        for disk in [Disk.Kind.ext4, .xfs] where levels.contains("power") && isRoot {
                            for flushed in [false, true] {
                                cut.disk = disk
                                cut.effect = .power(flushed: flushed)
                                cuts.append(cut)
                            }
                        }
                    }
                }
            }
        }
        return cuts.shuffled(using: &generator)
    }
}
