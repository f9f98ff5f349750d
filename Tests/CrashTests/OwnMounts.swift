import CMounts
import Foundation

/// A thread that sees file systems of its own: a machine that is booted beside it would copy its mounts, and keep a disk
/// alive whose power was cut.
enum OwnMounts {
    /// Runs something on such a thread and waits for it.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { done in
            Thread.detachNewThread {
                done.resume(
                    with: Swift.Result {
                        // Without root nothing is mounted either.
                        if geteuid() == 0, own_mounts() != 0 {
                            throw CrashError("cannot get mounts of its own: \(String(cString: strerror(errno)))")
                        }
                        return try body()
                    })
            }
        }
    }
}
