import PatchFiles
public import PatchModel

/// What time it is, and how somebody waits for a time. The supervisor owns this protocol; tests set their clocks.
///
/// Whatever is decided by a time is decided by these: windows, holds, pauses, lead time, grace. How long a disk or a
/// program may take to answer is not: nobody can make those faster.
public protocol Clocks: Sendable {
    /// The time of day, which an admin may set back or forth.
    var now: Timestamp { get }
    /// Seconds since an arbitrary instant; never goes back.
    var seconds: Double { get }
    /// Waits; returns early where the task is cancelled.
    ///
    /// - Throws: `CancellationError`.
    func sleep(seconds: Double) async throws
    /// Blocks the calling thread.
    func block(seconds: Double)
}

/// The host's.
struct SystemClocks: Clocks {
    var now: Timestamp { .now }
    var seconds: Double { MonotonicClock.seconds }
    func sleep(seconds: Double) async throws { try await Alarms.shared.sleep(seconds: seconds) }
    func block(seconds: Double) { MonotonicClock.wait(seconds: seconds) }
}
