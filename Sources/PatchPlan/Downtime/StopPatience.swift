public import PatchModel

/// When it is logged that units take long to stop, and the text: soon, then less and less often.
public struct StopPatience: Sendable {
    /// Seconds until it is logged first.
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

    /// Whether it was logged at all.
    public var wasTold: Bool { next > Self.first }

    /// Seconds that they take already, where that is to be logged now.
    public mutating func due(at now: Double) -> Int? {
        let passed = now - began
        guard passed >= next else { return nil }
        while next <= passed { next *= 2 }
        return Int(passed)
    }

    /// The text. It stays the same, so that it is written once.
    public func message(_ units: [String], job: Int) -> String {
        "waiting for \(units.joined(separator: ", ")) to stop, since \(since); look at: systemctl status \(units.first ?? ""); give up: patchctl cancel \(job)"
    }
}
