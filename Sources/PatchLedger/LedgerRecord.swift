import PatchModel

/// One record of a folder's ledger.
public enum LedgerRecord: Hashable, Codable, Sendable {
    /// What is to be done; always the first record, written by the daemon.
    case begin(WorkOrder)
    /// The folder was looked at: what is in the way, and the steps whose effect is there already.
    case surveyed(faults: [Fault], warnings: [String], equal: [Int])
    /// The new content of these steps lies beside its place. Not durable before ``prepared``.
    case staged([Slot])
    /// Everything that an undo needs and everything that is to be switched is complete and durable.
    case prepared
    /// A script is about to run, for the attempt-th time.
    case started(step: Int, attempt: Int)
    /// The effect of these steps is durable.
    case finished(steps: [Int])
    /// The folder stopped at a step; nil: before the first or after the last one.
    case failed(step: Int?, code: FaultCode, message: String)
    /// An admin said to go on: what failed before counts no more.
    case resumed
    /// The worker ended its step because it was told to stop.
    case interrupted
    /// Everything is done and durable.
    case done

    /// Where a step's new content lies, or will be found after the switch.
    public struct Slot: Hashable, Codable, Sendable {
        /// The step's index in the plan.
        public var step: Int
        /// The inode of the new file: the step is done when its place shows this inode.
        public var inode: UInt64
        /// The file that is to be replaced; nil where there was none.
        public var replaces: UInt64?

        /// A slot from its parts.
        public init(step: Int, inode: UInt64, replaces: UInt64?) {
            self.step = step
            self.inode = inode
            self.replaces = replaces
        }
    }
}
