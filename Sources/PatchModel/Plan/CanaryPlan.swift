/// Which folders of a job go first, and how long the others wait after them (contract §7).
public struct CanaryPlan: Hashable, Codable, Sendable {
    /// The configured folders that the job raises, in the order of the plan.
    public var canaries: [String]
    /// All that go first: these and the ancestors that they need.
    public var folders: [String]
    /// See ``CanaryPause``.
    public var pause: CanaryPause

    /// Memberwise.
    public init(canaries: [String], folders: [String], pause: CanaryPause) {
        self.canaries = canaries
        self.folders = folders
        self.pause = pause
    }

    /// For people: what goes first, and when the others follow.
    public var text: String {
        let others =
            switch pause {
            case .seconds(0): "the others follow at once"
            case .seconds(let seconds): "the others follow after \(Self.text(seconds))"
            case .approval: "the others follow when somebody approves"
            }
        return "\(folders.joined(separator: ", ")) first; \(others)"
    }

    /// As a configuration would say it.
    private static func text(_ seconds: Double) -> String {
        let unit = [("d", 86400.0), ("h", 3600), ("m", 60), ("s", 1)].first {
            seconds.truncatingRemainder(dividingBy: $0.1) == 0
        }
        return unit.map { "\(Int(seconds / $0.1))\($0.0)" } ?? "\(Int(seconds * 1000))ms"
    }
}
