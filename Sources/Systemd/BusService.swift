import CSystemd
import Glibc

/// Keeps a ``BusObject`` on the system bus. Nobody there can make it wait for them, or fill its memory: towards the bus one
/// answer or signal is under way at a time, and of the calls that wait for theirs there are so many and no more.
///
/// Why: docs/decisions/bus.md
public final class BusService: Sendable {
    private let address: String
    private let patience: Double
    /// An eventfd(2), rung when there is a signal to send.
    private let bell: Int32

    /// A service that is on no bus yet.
    ///
    /// - Parameters:
    ///   - address: nil for the system bus.
    ///   - patience: seconds after which a bus that takes nothing is left.
    public init(address: String? = nil, patience: Double = 30) {
        self.address =
            address ?? getenv("DBUS_SYSTEM_BUS_ADDRESS").map { String(cString: $0) }
            ?? "unix:path=/run/dbus/system_bus_socket"
        self.patience = patience
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    }

    deinit { close(bell) }

    /// There is a signal to send. Never blocks.
    public func wake() {
        var one: UInt64 = 1
        _ = write(bell, &one, 8)
    }

    /// Connects, takes the name, answers and sends signals until the connection breaks. Blocks; on one thread at a time.
    ///
    /// - Parameter whenReached: called when the name is this process's.
    public func serve(_ object: any BusObject, whenReached: () -> Void) throws(SystemdError) -> Never {
        let session = try BusSession(object, address: address, patience: patience)
        while true {
            let wasReached = session.isOwner
            let moved = try session.turn()
            if session.isOwner, !wasReached { whenReached() }
            if !moved { try session.wait(or: bell) }
        }
    }
}
