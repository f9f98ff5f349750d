public import PatchModel

/// In which order an endpoint's waiting jobs are looked at: first come, first served, but nothing that changes folders waits
/// for more than one test that came after the last look. Tests may be dropped without end.
public enum TurnOrder {
    /// - Parameters:
    ///   - waiting: by number.
    ///   - testedAt: when the endpoint's last test began; nil for never. What waited then goes before further tests.
    public static func sorted(_ waiting: [Job], testedAt: Timestamp?) -> [Job] {
        guard let testedAt else { return waiting }
        func isPassedOver(_ job: Job) -> Bool { job.operation != .test && job.createdAt < testedAt }
        return waiting.filter(isPassedOver) + waiting.filter { !isPassedOver($0) }
    }
}
