import PatchJSON
import PatchModel

/// `status --json`.
struct StatusReport: Encodable {
    /// Whether the configuration would be taken.
    struct ConfigurationState: Encodable {
        /// What is wrong with it, a line a problem; nil: nothing, or this user may not read it.
        var refused: String?
        /// Whether this user may read it.
        var readable: Bool

        private enum Key: String, CodingKey { case refused, readable }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(refused, forKey: .refused)
            try container.encode(readable, forKey: .readable)
        }
    }

    /// A unit that ran before an update and does not come up again.
    struct Unit: Encodable {
        var unit: String
        var endpoints: [String]
        var problem: String
        @OrNull var since: Timestamp?
        var next: String
    }

    struct Endpoint: Encodable {
        var endpoint: String
        var folders: [Folder]
    }

    /// A state file, with what follows from configuration and jobs.
    struct Folder: Encodable {
        var state: FolderState
        /// The reference folder; nil for the root, and where the configuration cannot be read.
        var parent: String?
        var cause: FolderCause
        /// Left out of everything; false where the configuration cannot be read.
        var isInactive = false
        /// No longer configured, and not locked.
        var isGone = false
        /// Nil for none, and where nobody looked.
        var lock: LockNotice?

        private enum Key: String, CodingKey { case parent, reason, next, gone }

        func encode(to encoder: any Encoder) throws {
            try state.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(parent, forKey: .parent)
            try container.encode(cause.reason, forKey: .reason)
            try container.encode(cause.next, forKey: .next)
            if isGone { try container.encode(isGone, forKey: .gone) }
        }
    }

    var schema = 1
    var configuration: ConfigurationState
    var holds: [StandingHold]
    var units: [Unit]
    var endpoints: [Endpoint]
    var jobs: [Job]
}
