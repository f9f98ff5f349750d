import Foundation

/// A sequence of commands on one endpoint, and whether model and program agree on it.
struct Sequence {
    var start: Model
    var steps: [Step]

    /// Where the two part.
    struct Difference {
        /// How many steps it took.
        var count: Int
        var lines: [String]
    }

    /// A sequence that is known.
    init(start: Model, steps: [Step]) {
        self.start = start
        self.steps = steps
    }

    /// Draws a sequence without running it.
    init(seed: UInt64) {
        var draw = Draw(seed: seed)
        start = draw.model()
        steps = []
        var model = start
        for _ in 0..<draw.length() {
            let step = draw.step(model)
            steps.append(step)
            _ = model.carryOut(step.action)
        }
    }

    /// Runs it on the programs.
    ///
    /// - Returns: nil when they agree after every command.
    func run(cache: String) throws -> Difference? {
        let host = try ModelHost(start, cache: cache)
        var model = start
        for (index, step) in steps.enumerated() {
            let before = model
            let outcome = model.carryOut(step.action)
            let (answer, exit): (String?, Int?)
            do {
                (answer, exit) = try host.carryOut(step, before: before)
            } catch let stuck as ModelHost.Stuck {
                return Difference(count: index + 1, lines: stuck.lines)
            }
            let withVerify = index == steps.count - 1 || index % 4 == 3
            var wanted = model.picture(outcome)
            var found: [String: String]
            do {
                found = try host.picture(withVerify: withVerify)
            } catch let stuck as ModelHost.Stuck {
                return Difference(count: index + 1, lines: stuck.lines)
            }
            found["answer"] = answer
            found["exit"] = exit.map { "\($0)" }
            if exit == nil { wanted["exit"] = nil }
            for folder in model.folders {
                for key in ["\(folder.name) changed", "\(folder.name) missing"] {
                    if !withVerify { wanted[key] = nil }
                    if folder.half != nil { found[key] = nil }
                }
            }
            found.merge(try host.applications(expecting: wanted)) { $1 }
            // Which phase the locks of a job show that was resumed and waits, nobody relies on; that they are there, everybody.
            if let resumed = model.jobs.first(where: { $0.isResumed && !$0.isFinal }) {
                for name in model.folders.map(\.name) {
                    let isLocked = resumed.folders[name] == "pending"
                    wanted["\(name) lock"] = isLocked ? "locked" : nil
                    found["\(name) lock"] = isLocked && found["\(name) lock"] != nil ? "locked" : nil
                    (wanted["\(name) application"], found["\(name) application"]) = (nil, nil)
                }
            }
            let keys = Set(wanted.keys).union(found.keys).filter { wanted[$0] != found[$0] }.sorted()
            if keys.isEmpty { continue }
            let lines = keys.map { "\($0): the model says \(wanted[$0] ?? "-"), the program \(found[$0] ?? "-")" }
            return Difference(count: index + 1, lines: lines)
        }
        return nil
    }

    /// The shortest that still differs, by leaving commands and kills out.
    func shrunk(_ difference: Difference, cache: String) throws -> (Sequence, Difference) {
        var best = self
        var found = difference
        best.steps = Array(steps.prefix(found.count))
        var index = best.steps.count - 1
        while index >= 0 {
            var shorter = best
            shorter.steps.remove(at: index)
            if let left = try shorter.run(cache: cache) {
                best = shorter
                found = left
                best.steps = Array(best.steps.prefix(left.count))
            } else if best.steps[index].kill != nil || best.steps[index].trouble != nil {
                var calm = best
                calm.steps[index].kill = nil
                calm.steps[index].trouble = nil
                if let left = try calm.run(cache: cache) {
                    best = calm
                    found = left
                    best.steps = Array(best.steps.prefix(left.count))
                }
            }
            index = min(index, best.steps.count) - 1
        }
        return (best, found)
    }

    /// In words.
    var text: String {
        let tree = start.folders.map { "\($0.name) \($0.version).0" + ($0.parent.map { " below \($0)" } ?? "") }
        return (start.asksForApproval ? "approval required, " : "")
            + "onFailure \(start.onFailure.rawValue), retain \(start.retain), \(tree.joined(separator: ", "))\n"
            + steps.enumerated().map { "  \($0 + 1). \($1)" }.joined(separator: "\n")
    }
}
