import Dispatch
import Synchronization

/// Runs tasks on threads of its own, as many as are needed: what patchd does is mostly waiting in system calls, which
/// must not hold up the cooperative pool (on two cores two of them would stop the daemon).
///
/// No queue of Dispatch: where as many of its threads wait as there are cores, it looks only once a second whether one
/// more is needed, and the applications are down meanwhile; and it wakes each second for that while the daemon is idle.
public final class BlockingThreads: TaskExecutor {
    private struct Pool {
        var jobs: [UnownedJob] = []
        /// Threads that wait and were not woken yet.
        var idle = 0
        /// Threads that were woken or made and have not looked for a job yet: never fewer than there are jobs, so that
        /// every job is taken, and not more than needed, however long a thread takes to come.
        var coming = 0
    }

    private let pool = Mutex(Pool())
    private let bell = DispatchSemaphore(value: 0)

    /// An executor without threads yet.
    public init() {}

    /// Runs what is the whole of a process, and blocks the calling thread until it has ended. The one task without a parent:
    /// all others are below it.
    public func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
        let value = Mutex<Value?>(nil)
        let isOver = DispatchSemaphore(value: 0)
        Task(executorPreference: self) {
            let result = await body()
            value.withLock { $0 = result }
            isOver.signal()
        }
        while true {
            isOver.wait()
            if let result = value.withLock({ $0 }) { return result }
        }
    }

    /// Called by the runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        let wakes = pool.withLock { pool -> Bool? in
            pool.jobs.append(unowned)
            if pool.jobs.count <= pool.coming { return nil }
            pool.coming += 1
            if pool.idle == 0 { return false }
            pool.idle -= 1
            return true
        }
        switch wakes {
        case true?: bell.signal()
        case false?: startThread()
        case nil: break
        }
    }

    /// Works for good.
    private func work() -> Never {
        var isComing = true
        while true {
            let job = pool.withLock { pool in
                if isComing { pool.coming -= 1 }
                isComing = pool.jobs.isEmpty
                if isComing {
                    pool.idle += 1
                    return nil as UnownedJob?
                }
                return pool.jobs.removeFirst()
            }
            if let job { job.runSynchronously(on: asUnownedTaskExecutor()) } else { bell.wait() }
        }
    }

    private func startThread() {
        if DetachedThread.start({ [self] in work() }) { return }
        // A thread that is through with its job takes this one, too.
        pool.withLock { $0.coming -= 1 }
    }
}
