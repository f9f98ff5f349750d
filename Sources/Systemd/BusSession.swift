import CSystemd
import Glibc

/// One connection of a ``BusService``. It belongs to the thread that made it.
final class BusSession {
    /// A call that waits for its answer.
    private final class Call {
        let message: BusMessage
        let request: BusRequest
        /// The question who the caller is; nil when that is known, or does not matter.
        var question: UInt64?
        var maySeeAll = false

        init(_ message: consuming BusMessage, _ request: BusRequest) {
            self.message = message
            self.request = request
        }
    }

    /// Calls that wait, and further errors that are on their way to the bus.
    private static let most = 256
    private static let bus = "org.freedesktop.DBus"

    private let object: any BusObject
    private let raw: OpaquePointer
    /// Microseconds after which a bus that takes nothing is left.
    private let patience: UInt64
    private let operation: SystemdError.Operation
    private var calls: [Call] = []
    private var nameCookie: UInt64 = 0
    /// Since when something is on its way to the bus.
    private var stuckSince: UInt64?
    /// Whether the name is this process's.
    private(set) var isOwner = false

    /// Begins to connect, and asks for the name.
    init(_ object: any BusObject, address: String, patience: Double) throws(SystemdError) {
        self.object = object
        self.patience = UInt64(patience * 1_000_000)
        operation = SystemdError.Operation("serve", object.name)
        var bus: OpaquePointer?
        let made = sd_bus_new(&bus)
        guard made >= 0, let bus else { throw SystemdError(operation, code: made) }
        raw = bus
        for result in [
            sd_bus_set_address(raw, address),
            sd_bus_set_bus_client(raw, 1),
            // Nobody can pass descriptors here, which would count as this process's.
            sd_bus_negotiate_fds(raw, 0),
            sd_bus_start(raw),
        ] where result < 0 { throw SystemdError(operation, code: result) }
        let name = object.name
        nameCookie = try ask("RequestName") { message throws(SystemdError) in
            try message.append(name)
            // Not to be replaced, and not to wait for it (DBUS_NAME_FLAG_DO_NOT_QUEUE).
            try message.append(.mask(4))
        }
    }

    deinit { sd_bus_close_unref(raw) }

    /// Does one thing that can be done now.
    ///
    /// - Returns: whether there may be more.
    func turn() throws(SystemdError) -> Bool {
        var pointer: OpaquePointer?
        let processed = try check(sd_bus_process(raw, &pointer))
        if let pointer { try receive(BusMessage(owning: pointer, for: operation)) }
        // While the bus is not taking what was sent, nothing is added to it and nothing more is read than has to be.
        guard isOwner else { return processed > 0 }
        guard try queued() == 0 else { return false }
        // Signals first: callers come without end.
        if let signal = object.nextSignal() {
            try send(signal)
        } else if let index = calls.firstIndex(where: { $0.question == nil }) {
            try answer(calls.remove(at: index))
        } else {
            return processed > 0
        }
        return true
    }

    /// Sleeps until there is something to do on the connection, or the bell rings.
    func wait(or bell: Int32) throws(SystemdError) {
        let isStuck = isOwner ? try queued() > 0 : false
        if !isStuck { stuckSince = nil }
        let since = stuckSince ?? Bus.now
        if isStuck {
            stuckSince = since
            if Bus.now - since > patience {
                throw SystemdError(operation, name: "", message: "the bus takes nothing any more")
            }
        }
        var until: UInt64 = 0
        try check(sd_bus_get_timeout(raw, &until))
        let events = isStuck ? Int32(POLLOUT) : try check(sd_bus_get_events(raw))
        var polled = [
            pollfd(fd: try check(sd_bus_get_fd(raw)), events: Int16(events), revents: 0),
            pollfd(fd: bell, events: Int16(POLLIN), revents: 0),
        ]
        if isStuck { until = min(until, since + patience + 1) }
        let now = Bus.now
        let pause = until == .max ? -1 : until <= now ? 0 : Int32(min((until - now) / 1000 + 1, 3_600_000))
        poll(&polled, 2, pause)
        if polled[1].revents != 0 {
            var count: UInt64 = 0
            _ = read(bell, &count, 8)
        }
    }

    // MARK: What comes

    private func receive(_ message: consuming BusMessage) throws(SystemdError) {
        if message.isCall { return try receive(call: message) }
        // Anybody may send us signals, also under the bus's interface.
        guard message.sender == Self.bus else { return }
        let cookie = message.replyCookie
        if cookie == nameCookie, nameCookie != 0 {
            nameCookie = 0
            if let error = message.failure { throw error }
            // DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER
            guard try message.number("u", UInt32(0)) == 1 else {
                throw SystemdError(operation, name: "", message: "another program has that name")
            }
            isOwner = true
        } else if cookie > 0, let index = calls.firstIndex(where: { $0.question == cookie }) {
            // Who is gone needs no answer.
            if message.failure != nil {
                calls.remove(at: index)
            } else {
                calls[index].maySeeAll = try mayRead(message)
                calls[index].question = nil
            }
        } else if message.isSignal(Self.bus, "NameLost") {
            throw SystemdError(operation, code: -ECONNRESET)
        }
    }

    private func receive(call: consuming BusMessage) throws(SystemdError) {
        guard call.expectsReply else { return }
        let request: BusRequest
        // One whose content cannot be read is nobody's but its sender's.
        do { request = try BusRequest(call, of: object) } catch {
            return try refuse(call, BusMessage.invalidArguments, "the arguments cannot be read")
        }
        if case .refused(let name, let message) = request { return try refuse(call, name, message) }
        guard calls.count < Self.most else {
            return try refuse(call, BusRequest.limitsExceeded, "too many calls wait for their answer")
        }
        let sender = call.sender
        let waiting = Call(call, request)
        let isForAll: Bool =
            switch request {
            case .get(let property): object.isPublic(property)
            case .getAll: object.properties.allSatisfy(object.isPublic)
            default: true
            }
        if !isForAll {
            waiting.question = try ask("GetConnectionCredentials") { message throws(SystemdError) in
                try message.append(sender)
            }
        }
        calls.append(waiting)
    }

    /// Whether the user of a connection may read everything, from what the bus says of it.
    private func mayRead(_ credentials: borrowing BusMessage) throws(SystemdError) -> Bool {
        var uid: UInt32?
        var groups: [UInt32] = []
        try credentials.each("e", "sv") { () throws(SystemdError) in
            switch try credentials.requiredText() {
            case "UnixUserID":
                uid = try credentials.variant("u") { value throws(SystemdError) in try value.number("u", UInt32(0)) }
            case "UnixGroupIDs":
                groups = try credentials.variant("au") { value throws(SystemdError) in try value.numbers() }
            default: try credentials.skip("v")
            }
        }
        return uid.map { object.mayRead(uid: $0, groups: groups) } ?? false
    }

    // MARK: What goes

    private func answer(_ call: Call) throws(SystemdError) {
        var pointer: OpaquePointer?
        try check(sd_bus_message_new_method_return(call.message.raw, &pointer))
        guard let pointer else { return }
        let reply = BusMessage(owning: pointer, for: operation)
        switch call.request {
        case .refused: return
        case .introspect(let path): try reply.append(BusRequest.introspection(at: path, of: object))
        case .get(let property):
            guard call.maySeeAll || object.isPublic(property) else {
                return try refuse(call.message, BusRequest.accessDenied, "\(property) is for root and group patchd")
            }
            try reply.append(variant: object.value(of: property))
        case .getAll:
            try reply.container("a", "{sv}") { () throws(SystemdError) in
                for property in object.properties where call.maySeeAll || object.isPublic(property) {
                    try reply.container("e", "sv") { () throws(SystemdError) in
                        try reply.append(property)
                        try reply.append(variant: object.value(of: property))
                    }
                }
            }
        }
        try send(reply)
    }

    private func refuse(_ call: borrowing BusMessage, _ name: String, _ message: String) throws(SystemdError) {
        // Errors do not wait for their turn, so that nothing of a bad call is kept; there is an end to them, too.
        guard try queued() < Self.most else { return }
        var error = sd_bus_error()
        defer { sd_bus_error_free(&error) }
        sd_bus_error_set(&error, name, message)
        var pointer: OpaquePointer?
        try check(sd_bus_message_new_method_error(call.raw, &pointer, &error))
        guard let pointer else { return }
        try send(BusMessage(owning: pointer, for: operation))
    }

    private func send(_ signal: BusSignal) throws(SystemdError) {
        let (interface, member) =
            switch signal {
            case .own(let member, _): (object.interface, member)
            case .changed: (Bus.propertiesInterface, "PropertiesChanged")
            }
        var pointer: OpaquePointer?
        try check(sd_bus_message_new_signal(raw, &pointer, object.path, interface, member))
        guard let pointer else { return }
        let message = BusMessage(owning: pointer, for: operation)
        switch signal {
        case .own(_, let values): for value in values { try message.append(value) }
        case .changed(let properties):
            try message.append(object.interface)
            try message.container("a", "{sv}") { () throws(SystemdError) in }
            try message.append(properties)
        }
        try send(message)
    }

    /// Asks the bus itself something.
    ///
    /// - Returns: what its answer is known by.
    private func ask(
        _ member: String, _ fill: (borrowing BusMessage) throws(SystemdError) -> Void
    ) throws(SystemdError) -> UInt64 {
        var pointer: OpaquePointer?
        try check(
            sd_bus_message_new_method_call(raw, &pointer, Self.bus, "/org/freedesktop/DBus", Self.bus, member))
        guard let pointer else { throw SystemdError(operation, code: -ENOMEM) }
        let message = BusMessage(owning: pointer, for: operation)
        try fill(message)
        var cookie: UInt64 = 0
        try check(sd_bus_send(raw, message.raw, &cookie))
        return cookie
    }

    private func send(_ message: borrowing BusMessage) throws(SystemdError) {
        try check(sd_bus_send(raw, message.raw, nil))
    }

    /// Messages that the bus has not taken yet.
    private func queued() throws(SystemdError) -> UInt64 {
        var count: UInt64 = 0
        try check(sd_bus_get_n_queued_write(raw, &count))
        return count
    }

    @discardableResult
    private func check(_ result: Int32) throws(SystemdError) -> Int32 {
        guard result >= 0 else { throw SystemdError(operation, code: result) }
        return result
    }
}
