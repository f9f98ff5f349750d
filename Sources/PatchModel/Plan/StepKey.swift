/// The key of a script in a database: each has a row in `patchd_step`, so that an optional patch that is added later
/// runs its own scripts although the version is already reached.
public struct StepKey: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The update's name.
    public var update: String
    /// The patch's name.
    public var patch: String
    /// The file's name in `upgrades/`, or another name for something that is done once (`rows:TAXES`).
    public var script: String

    /// Memberwise.
    public init(update: String, patch: String, script: String) {
        self.update = update
        self.patch = patch
        self.script = script
    }

    /// `X3V8_P2/8.0.2.sql`: for people the patch is enough.
    public var description: String { "\(patch)/\(script)" }

    /// A step of an update; nil unless it is a script or rows.
    ///
    /// - Parameter version: the update's. A script is the same one in every archive that brings it; rows are others with
    ///   each version.
    public init?(update: String, version: Version, step: PlannedStep) {
        switch step.kind {
        case .script: self.init(update: update, patch: step.patch, script: step.path)
        case .rows: self.init(update: update, patch: step.patch, script: "rows:\(step.path) \(version)")
        default: return nil
        }
    }
}
