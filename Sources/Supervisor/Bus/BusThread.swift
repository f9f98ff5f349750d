import Glibc
import Logging
import PatchFiles

/// The thread that keeps the daemon's state on the bus. Nothing waits for it, not even the daemon's end: a bus that hangs costs
/// who listens there, and nobody else.
final class BusThread: Sendable {
    /// Seconds between two tries to reach the bus.
    private static let pause = 5.0

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
        let own = Unmanaged.passRetained(BusThread(bus, state, logger)).toOpaque()
        var thread = pthread_t()
        let problem = pthread_create(
            &thread, nil,
            { own in
                guard let own else { return nil }
                Unmanaged<BusThread>.fromOpaque(own).takeRetainedValue().work()
            }, own)
        if problem == 0 {
            pthread_detach(thread)
        } else {
            Unmanaged<BusThread>.fromOpaque(own).release()
            logger.log(.busUnreachable, "nothing is shown on the system bus: the kernel allows no more threads")
        }
    }

    private func work() -> Never {
        var isSaid = false
        while true {
            do {
                try bus.serve(state) {
                    state.set(isReached: true)
                    logger.log(.busReached, "org.patchd1 is on the system bus")
                    isSaid = false
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
            MonotonicClock.wait(seconds: Self.pause)
        }
    }
}
