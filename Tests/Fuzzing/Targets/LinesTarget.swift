import PatchModel

/// Plans, orders and tables of contents, which are lines of fields.
enum LinesTarget {
    static func run(_ bytes: [UInt8]) throws {
        for skipsSteps in [false, true] {
            var reader = PlanReader(skipsSteps: skipsSteps)
            for line in bytes.lines {
                if (try? reader.take(line[...])) == nil { break }
            }
            guard !skipsSteps, let plan = try? reader.plan() else { continue }
            var again = PlanReader()
            try PlanLines.write(plan) { try again.take($0.dropLast()[...]) }
            try hold(try again.plan() == plan, "a plan is not read again as it was written")
        }
        let lines = bytes.lines
        guard var update = try? CheckedUpdate.first(lines[0][...]) else { return }
        for line in lines.dropFirst() {
            if (try? update.take(line[...])) != false { return }
        }
    }
}
