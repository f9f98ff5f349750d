import Dispatch
import Synchronization

/// Runs tasks on threads of their own, as many as are needed: what patchd does is mostly waiting in system calls, which
/// must not hold up the cooperative pool (on two cores two of them would stop the daemon).
public final class BlockingThreads: TaskExecutor {
    private let queue = DispatchQueue(label: "patchd.blocking", attributes: .concurrent)

    /// An executor without threads yet.
    public init() {}

    /// Called by the runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        queue.async { [self] in unowned.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
