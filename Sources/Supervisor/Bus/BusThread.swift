import Logging
import PatchFiles

/// The thread that keeps the daemon's state on the bus. Nothing waits for it, not even the daemon's end: a bus that hangs costs
/// who listens there, and nobody else.
final class BusThread: Sendable {
    /// Seconds between the first two tries to reach the bus. They double: where there is none, an idle daemon is to sleep.
    private static let firstPause = 5.0
    private static let longestPause = 60.0

    private let bus: any SystemBus
    private let state: PublishedState
    private let logger: Logger

    private init(_ bus: any SystemBus, _ state: PublishedState, _ logger: Logger) {
        self.bus = bus
        self.state = state
        self.logger = logger
    }

    /// Starts it; it runs until the process ends.
    static func start(_ bus: any SystemBus, _ state: PublishedState, _ logger: Logger) {
        let thread = BusThread(bus, state, logger)
        if DetachedThread.start({ thread.work() }) { return }
        logger.log(.busUnreachable, "nothing is shown on the system bus: the kernel allows no more threads")
    }

    private func work() -> Never {
        var isSaid = false
        var pause = Self.firstPause
        while true {
            do {
                try bus.serve(state) {
                    state.set(isReached: true)
                    logger.log(.busReached, "org.patchd1 is on the system bus")
                    (isSaid, pause) = (false, Self.firstPause)
                }
            } catch {
                state.set(isReached: false)
                if !isSaid {
                    logger.log(
                        .busUnreachable,
                        "org.patchd1 is not on the system bus, and patchd works without it: \(error); it tries again")
                }
                isSaid = true
            }
            MonotonicClock.wait(seconds: pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }
}
