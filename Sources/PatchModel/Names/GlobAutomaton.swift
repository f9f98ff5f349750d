/// Matches a pattern without backtracking: all places in the pattern that the text read so far may have led to are kept
/// at once, a bit each, so that a character costs one operation a 64 tokens of the pattern.
struct GlobAutomaton: Sendable {
    /// Words of 64 bits that hold the states.
    let words: Int
    /// Where the classes of characters begin that the pattern treats alike, ascending; the first is 0.
    private let bounds: [UInt32]
    /// The class of each ASCII character.
    private let asciiClasses: [UInt16]
    /// By class: the states that this character leads on from.
    private let advancing: [UInt64]
    /// By class: the states in which this character may be passed over.
    private let staying: [UInt64]
    /// The states that lead on without a character when they are entered.
    private let open: [UInt64]
    /// Those that lead on after a character was passed over as well: all but `**/`, which then waits for a slash.
    private let alwaysOpen: [UInt64]
    private let last: Int

    init(_ tokens: [Glob.Token]) {
        let words = tokens.count / 64 + 1
        self.words = words
        last = tokens.count
        var bounds: Set<UInt32> = [0, Self.slash, Self.slash + 1]
        for token in tokens {
            switch token {
            case .one(let scalar): bounds.formUnion([scalar.value, scalar.value + 1])
            case .set(let ranges, _):
                for range in ranges { bounds.formUnion([range.lowerBound.value, range.upperBound.value + 1]) }
            case .any, .run, .everything, .directories: break
            }
        }
        let sorted = bounds.sorted()
        self.bounds = sorted
        var classes: [UInt16] = []
        var current = 0
        for value in 0..<UInt32(128) {
            while current + 1 < sorted.count, sorted[current + 1] <= value { current += 1 }
            classes.append(UInt16(current))
        }
        asciiClasses = classes

        var masks = (advancing: [UInt64](repeating: 0, count: sorted.count * words), staying: [UInt64]())
        masks.staying = masks.advancing
        var entries = (open: [UInt64](repeating: 0, count: words), alwaysOpen: [UInt64]())
        entries.alwaysOpen = entries.open
        let slash = Int(classes[Int(Self.slash)])
        for (index, token) in tokens.enumerated() {
            let (word, bit) = (index / 64, UInt64(1) << UInt64(index % 64))
            func mark(_ classes: inout [UInt64], _ wanted: some Sequence<Int>) {
                for number in wanted { classes[number * words + word] |= bit }
            }
            let withoutSlash = sorted.indices.filter { $0 != slash }
            switch token {
            case .one(let scalar): mark(&masks.advancing, [Self.class(of: scalar.value, in: sorted)])
            case .any: mark(&masks.advancing, withoutSlash)
            case .set(let ranges, let negated):
                let members = Set(ranges.flatMap { Self.classes(from: $0, in: sorted) })
                mark(&masks.advancing, withoutSlash.filter { members.contains($0) != negated })
            case .run: mark(&masks.staying, withoutSlash)
            case .everything: mark(&masks.staying, sorted.indices)
            case .directories:
                // In the middle of a component only a slash leads on.
                mark(&masks.staying, sorted.indices)
                mark(&masks.advancing, [slash])
            }
            if [.run, .everything, .directories].contains(token) { entries.open[word] |= bit }
            if [.run, .everything].contains(token) { entries.alwaysOpen[word] |= bit }
        }
        (advancing, staying) = masks
        (open, alwaysOpen) = entries
    }

    /// Whether the whole text matches.
    ///
    /// - Parameter steps: grows by one for each word of states that a character was held against.
    func accepts(_ text: String, steps: inout Int) -> Bool {
        var states = [UInt64](repeating: 0, count: words)
        var entered = states
        states[0] = 1
        // Twice, as no more than two tokens that need no character stand side by side: `**/` and one of the others.
        Self.passOn(&states, from: open)
        Self.passOn(&states, from: open)
        for scalar in text.unicodeScalars {
            steps += words
            let masks = number(of: scalar.value) * words
            var carried: UInt64 = 0
            var any: UInt64 = 0
            for word in 0..<words {
                let leading = states[word] & advancing[masks + word]
                entered[word] = leading << 1 | carried
                carried = leading >> 63
                states[word] &= staying[masks + word]
                any |= entered[word] | states[word]
            }
            if any == 0 { return false }
            Self.passOn(&entered, from: open)
            Self.passOn(&entered, from: open)
            Self.passOn(&states, from: alwaysOpen)
            for word in 0..<words { states[word] |= entered[word] }
        }
        return states[last / 64] >> UInt64(last % 64) & 1 == 1
    }

    /// Adds the states behind those that lead on without a character.
    private static func passOn(_ states: inout [UInt64], from open: [UInt64]) {
        var carried: UInt64 = 0
        for word in states.indices {
            let leading = states[word] & open[word]
            states[word] |= leading << 1 | carried
            carried = leading >> 63
        }
    }

    private func number(of scalar: UInt32) -> Int {
        scalar < 128 ? Int(asciiClasses[Int(scalar)]) : Self.class(of: scalar, in: bounds)
    }

    private static let slash = UInt32(UInt8(ascii: "/"))

    /// The last class that begins at or before a scalar.
    private static func `class`(of scalar: UInt32, in bounds: [UInt32]) -> Int {
        var (low, high) = (0, bounds.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if bounds[middle] <= scalar { low = middle } else { high = middle }
        }
        return low
    }

    private static func classes(from range: ClosedRange<Unicode.Scalar>, in bounds: [UInt32]) -> ClosedRange<Int> {
        Self.class(of: range.lowerBound.value, in: bounds)...Self.class(of: range.upperBound.value, in: bounds)
    }
}
