/// `jobs/index.json`: which jobs the daemon has to know when it starts. All others are over and keep nothing: their files are
/// read only when somebody asks for them.
public struct JobIndex: Hashable, Sendable {
    /// The number of the next job. It is written before the job is, and none is given twice.
    public var next: Int
    /// The jobs that are not over, hold a folder, keep something for a rollback, or are among the newest.
    public var live: Set<Int>
    /// Of other jobs that did not begin in the order of their numbers: their place in it.
    public var turns: [Int: Int]

    /// An index from its parts.
    public init(next: Int = 1, live: Set<Int> = [], turns: [Int: Int] = [:]) {
        self.next = next
        self.live = live
        self.turns = turns
    }
}

extension JobIndex: Codable {
    private enum CodingKeys: String, CodingKey { case schema, next, live, turns }

    /// Reads what ``encode(to:)`` wrote.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        next = try keys.decode(Int.self, forKey: .next)
        guard let live = NumberRanges.numbers(try keys.decode(String.self, forKey: .live)) else {
            throw DecodingError.dataCorruptedError(forKey: .live, in: keys, debugDescription: "no numbers")
        }
        self.live = Set(live)
        turns = try keys.decode([Int: Int].self, forKey: .turns)
    }

    /// The live jobs as ranges, so that ten thousand that wait are a short text.
    public func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(1, forKey: .schema)
        try keys.encode(next, forKey: .next)
        try keys.encode(NumberRanges.text(live), forKey: .live)
        try keys.encode(turns, forKey: .turns)
    }
}
