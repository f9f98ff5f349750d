import CSystemd
import Glibc

/// A connection to the service manager. It belongs to the thread that opened it and is opened for each operation, so
/// that threads share nothing.
///
/// Why: docs/decisions/units.md#systemd-opens-a-connection-for-each-operation-and-blocks
struct Bus: ~Copyable {
    private let raw: OpaquePointer
    /// Whether a dbus-daemon is in between, which delivers only subscribed signals.
    private let isSystemBus: Bool

    static let manager = "/org/freedesktop/systemd1"
    static let managerInterface = "org.freedesktop.systemd1.Manager"
    static let unitInterface = "org.freedesktop.systemd1.Unit"
    static let propertiesInterface = "org.freedesktop.DBus.Properties"
    private static let service = "org.freedesktop.systemd1"
    /// systemctl's own limit for a reload, in microseconds; PID 1 answers nothing else meanwhile.
    private static let timeout: UInt64 = 180_000_000

    /// With `isDirect` over the manager's own socket, as systemctl does for root, so that no dbus-daemon is needed; else,
    /// or where that socket is missing, over the system bus.
    init(isDirect: Bool, for operation: SystemdError.Operation) throws(SystemdError) {
        if isDirect, let direct = Self.openPrivate() {
            raw = direct
            isSystemBus = false
            return
        }
        var opened: OpaquePointer?
        let result = sd_bus_open_system(&opened)
        guard result >= 0, let opened else {
            var error = SystemdError(operation, code: result)
            error.message = "systemd cannot be reached over the system bus: \(error.message)"
            throw error
        }
        raw = opened
        isSystemBus = true
    }

    deinit { sd_bus_flush_close_unref(raw) }

    private static func openPrivate() -> OpaquePointer? {
        var bus: OpaquePointer?
        guard sd_bus_new(&bus) >= 0 else { return nil }
        guard sd_bus_set_address(bus, "unix:path=/run/systemd/private") >= 0, sd_bus_start(bus) >= 0 else {
            sd_bus_unref(bus)
            return nil
        }
        return bus
    }

    /// Calls a method and waits for its reply.
    func call(
        _ member: String, interface: String = Bus.managerInterface, path: String = Bus.manager,
        for operation: SystemdError.Operation, destination: String = Bus.service,
        _ fill: (borrowing BusMessage) throws(SystemdError) -> Void = { _ in }
    ) throws(SystemdError) -> BusMessage {
        var pointer: OpaquePointer?
        let made = sd_bus_message_new_method_call(raw, &pointer, destination, path, interface, member)
        guard made >= 0, let pointer else { throw SystemdError(operation, code: made) }
        let message = BusMessage(owning: pointer, for: operation)
        try fill(message)
        var failure = sd_bus_error()
        defer { sd_bus_error_free(&failure) }
        var reply: OpaquePointer?
        let result = sd_bus_call(raw, message.raw, Self.timeout, &failure, &reply)
        guard result >= 0, let reply else {
            var error = SystemdError(operation, code: result)
            if let name = failure.name { error.name = String(cString: name) }
            if let words = failure.message { error.message = String(cString: words) }
            throw error
        }
        return BusMessage(owning: reply, for: operation)
    }

    /// Asks for one property; the reply holds it as a variant.
    func property(
        _ name: String, of interface: String, at path: String, for operation: SystemdError.Operation
    ) throws(SystemdError) -> BusMessage {
        try call("Get", interface: Bus.propertiesInterface, path: path, for: operation) {
            message throws(SystemdError) in
            try message.append(interface)
            try message.append(name)
        }
    }

    /// Subscribes to the manager's signals, and to those of the unit at `path`.
    func subscribe(unitAt path: String? = nil, for operation: SystemdError.Operation) throws(SystemdError) {
        // On its own socket the manager sends every signal without a subscription.
        guard isSystemBus else { return }
        var rules = [
            "type='signal',sender='\(Self.service)',interface='\(Self.managerInterface)',path='\(Self.manager)'"
        ]
        if let path { rules.append("type='signal',sender='\(Self.service)',path='\(path)'") }
        for rule in rules {
            _ = try call(
                "AddMatch", interface: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", for: operation,
                destination: "org.freedesktop.DBus"
            ) { message throws(SystemdError) in try message.append(rule) }
        }
        _ = try call("Subscribe", for: operation)
    }

    /// Waits for the next signal, also one that arrived during a call; nil when the time, in microseconds of
    /// `CLOCK_MONOTONIC`, is over.
    func nextSignal(until deadline: UInt64 = .max, for operation: SystemdError.Operation) throws(SystemdError)
        -> BusMessage?
    {
        while true {
            var message: OpaquePointer?
            let processed = sd_bus_process(raw, &message)
            guard processed >= 0 else { throw SystemdError(operation, code: processed) }
            if let message { return BusMessage(owning: message, for: operation) }
            guard processed == 0 else { continue }
            let now = Self.now
            guard now < deadline else { return nil }
            let waited = sd_bus_wait(raw, deadline == .max ? .max : deadline - now)
            guard waited >= 0 || waited == -EINTR else { throw SystemdError(operation, code: waited) }
        }
    }

    /// The object path of a unit, loaded or not, by its own name.
    static func path(ofUnit name: String, for operation: SystemdError.Operation) throws(SystemdError) -> String {
        var path: UnsafeMutablePointer<CChar>?
        let result = sd_bus_path_encode("\(manager)/unit", name, &path)
        guard result >= 0, let path else { throw SystemdError(operation, code: result) }
        defer { free(path) }
        return String(cString: path)
    }

    /// Microseconds of `CLOCK_MONOTONIC`, which sd-bus counts in.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }
}
