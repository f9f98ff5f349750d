import Dispatch
import Glibc
import Synchronization

/// Runs tasks on threads of its own, as many as are needed: what patchd does is mostly waiting in system calls, which
/// must not hold up the cooperative pool (on two cores two of them would stop the daemon).
///
/// No queue of Dispatch: where as many of its threads wait as there are cores, it looks only once a second whether one
/// more is needed, and the applications are down meanwhile.
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
        let own = Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let problem = pthread_create(
            &thread, nil,
            { own in
                guard let own else { return nil }
                Unmanaged<BlockingThreads>.fromOpaque(own).takeRetainedValue().work()
            }, own)
        if problem == 0 {
            pthread_detach(thread)
        } else {
            // The kernel lets no thread be made just now: whoever is through with a job takes this one, too.
            pool.withLock { $0.coming -= 1 }
            Unmanaged<BlockingThreads>.fromOpaque(own).release()
        }
    }
}
