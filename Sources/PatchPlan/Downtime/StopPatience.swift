public import PatchModel

/// When it is told that units take long to stop, and in which words: soon, and then ever more seldom.
public struct StopPatience: Sendable {
    /// Seconds until it is told first.
    public static let first = 5.0

    private let since: Timestamp
    private let began: Double
    private var next = first

    /// Units were asked to stop.
    ///
    /// - Parameters:
    ///   - since: when, for people.
    ///   - at: when, in seconds of the monotonic clock.
    public init(since: Timestamp, at: Double) {
        self.since = since
        began = at
    }

    /// Whether it was told at all.
    public var wasTold: Bool { next > Self.first }

    /// Seconds that they take already, where that is to be told now.
    public mutating func due(at now: Double) -> Int? {
        let passed = now - began
        guard passed >= next else { return nil }
        while next <= passed { next *= 2 }
        return Int(passed)
    }

    /// What is told. It stays the same, so that it is written once.
    public func message(_ units: [String], job: Int) -> String {
        "waiting for \(units.joined(separator: ", ")) to stop, since \(since); look at: systemctl status \(units.first ?? ""); give up: patchctl cancel \(job)"
    }
}
