/// The key of a script in a database: each has a row in `patchd_step`, so that an optional patch that is added later
/// runs its own scripts although the version is already reached. A migration's has no update
/// (``StepKey/init(migration:in:)``).
public struct StepKey: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The update's name.
    public var update: String
    /// The patch's name; of a migration its sequence.
    public var patch: String
    /// The file's name in `upgrades/`, or another name for something that is done once (`rows:TAXES`).
    public var script: String

    /// Memberwise.
    public init(update: String, patch: String, script: String) {
        self.update = update
        self.patch = patch
        self.script = script
    }

    /// `X3V8_P2/8.0.2.sql`: for people the patch is enough; `migrations/0042_x.sql`.
    public var description: String {
        update.isEmpty ? "\(MigrationRule.directory)/\(script)" : "\(patch)/\(script)"
    }

    /// A step of an update; nil unless it is a script or rows.
    ///
    /// - Parameter version: the update's. A script is the same one in every archive that brings it; rows are others with
    ///   each version.
    public init?(update: String, version: Version, step: PlannedStep) {
        switch step.kind {
        case .script:
            guard let rule = step.migration else {
                self.init(update: update, patch: step.patch, script: step.path)
                return
            }
            guard let name = step.migrationName else { return nil }
            self.init(migration: name, in: rule.sequence)
        case .rows: self.init(update: update, patch: step.patch, script: "rows:\(step.path) \(version)")
        default: return nil
        }
    }
}
