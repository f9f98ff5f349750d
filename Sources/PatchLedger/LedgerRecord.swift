import PatchModel

/// One record of a folder's ledger.
public enum LedgerRecord: Hashable, Sendable {
    /// The folder was looked at: what is in the way, and the steps whose effect is there already.
    case surveyed(faults: [Fault], warnings: [String], equal: [Int])
    /// What the scripts in SQL say: by step, the first line of each statement.
    case read(statements: [Int: [String]])
    /// The database was copied into the job's slots, durably, before anything was changed in it.
    case backedUp(DatabaseBackup)
    /// Somebody has the database in use, and a step waits for that: asked to leave, or, with `ends`, to be ended by
    /// whoever may.
    case inUse(step: Int?, by: [Blocker], ends: Bool)
    /// Tried while applications work, the folder has come to a step for which they must leave: files to switch, or somebody
    /// in the way. The worker ends then.
    case yielded(step: Int?, by: [Blocker])
    /// The daemon: they were told to leave at that time, and nobody is inside.
    case admitted(at: Timestamp)
    /// The database has its old content again, from the copy.
    case restored(job: Int)
    /// The new content of these steps lies beside its place. Not durable before ``prepared``. A later record
    /// replaces an earlier one: before ``prepared`` as a whole, then for the steps that it names.
    case staged([StepSlot])
    /// What one record could not hold of the same.
    case stagedMore([StepSlot])
    /// Everything that an undo needs and everything that is to be switched is complete and durable.
    case prepared
    /// A script is about to run, for the attempt-th time.
    case started(step: Int, attempt: Int)
    /// The effect of these steps is durable.
    case finished(steps: [Int])
    /// A hook failed whose failure is none of the folder's; it counts as finished.
    case warned(step: Int, message: String)
    /// The folder stopped at a step; nil: before the first or after the last one.
    case failed(step: Int?, code: FaultCode, message: String)
    /// An admin said to go on: what failed before counts no more.
    case resumed
    /// The worker ended its step because it was asked to stop.
    case interrupted
    /// Everything is done and durable.
    case done
    /// From here on only what was done is undone: by this job, or by the jobs that its order names.
    case reverting
    /// A downgrade of a job is about to run, for the attempt-th time.
    case undoing(job: Int, step: Int, attempt: Int)
    /// The effect of these steps of a job is gone, durably.
    case undone(job: Int, steps: [Int])
    /// Everything is undone and durable.
    case reverted
    /// The job's slots are gone from the folder; it can no longer be undone.
    case forgotten
    /// Of the files that patchd brought here: those that are other than it brought them last, and those that are not
    /// there. Sorted, relative to the folder.
    case verified(changed: [String], missing: [String])
    /// What a plan has to know of the folder.
    case found(FolderFacts)
    /// The scripts are about to be tried on a copy, for the attempt-th time.
    case rehearsing(attempt: Int)
    /// They were.
    case rehearsed(FolderRehearsal)
}
