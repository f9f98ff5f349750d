import Foundation
import Synchronization
import Testing

@testable import Systemd

/// On a bus as there should be none; those of Debian are in EndToEndTests and BootedTests.
@Suite struct `A service on a bus` {
    /// Has more to say than anybody can hear.
    private final class Endless: BusObject {
        let name = "org.patchd1"
        let introspection = ""
        let properties: [String] = []
        private let count = Atomic<Int>(0)

        var said: Int { count.load(ordering: .relaxed) }

        func value(of property: String) -> BusValue { .text("") }

        func isPublic(_ property: String) -> Bool { true }

        func mayRead(uid: UInt32, groups: [UInt32]) -> Bool { true }

        func nextSignal() -> BusSignal? {
            count.add(1, ordering: .relaxed)
            return .own("JobChanged", [.text(String(repeating: "x", count: 100_000))])
        }
    }

    /// Lets one client in, gives it its name, and reads nothing after that.
    private static let deafBus = """
        import socket, struct, sys
        def pad(data, to): return data + bytes(-len(data) % to)
        def text(value): return struct.pack('<I', len(value)) + value.encode() + bytes(1)
        def answer(serial, signature, body):
            fields = bytes([5, 1]) + b'u' + bytes(1) + struct.pack('<I', serial)
            fields = pad(fields, 8) + bytes([7, 1]) + b's' + bytes(1) + text('org.freedesktop.DBus')
            fields = pad(fields, 8) + bytes([8, 1]) + b'g' + bytes(1) + bytes([1]) + signature + bytes(1)
            head = struct.pack('<cBBBIII', b'l', 2, 1, 1, len(body), 1, len(fields))
            client.sendall(pad(head + fields, 8) + body)
        bus = socket.socket(socket.AF_UNIX)
        bus.bind(sys.argv[1])
        bus.listen()
        client, _ = bus.accept()
        data = client.recv(4096)
        client.sendall(b'DATA\\r\\nOK 0123456789abcdef0123456789abcdef\\r\\n')
        while b'BEGIN\\r\\n' not in data: data += client.recv(4096)
        data = data.split(b'BEGIN\\r\\n', 1)[1]
        for signature, body in [(b's', text(':1.1')), (b'u', struct.pack('<I', 1))]:
            while len(data) < 16: data += client.recv(4096)
            body_size, serial, fields_size = struct.unpack('<III', data[4:16])
            size = -(-(16 + fields_size) // 8) * 8 + body_size
            while len(data) < size: data += client.recv(4096)
            data = data[size:]
            answer(serial, signature, body)
        sys.stdin.read()
        """

    @Test func `leaves a bus that takes nothing, and keeps no more than it could send for it`() throws {
        let socket = "/tmp/patchd-bus-\(UInt64.random(in: .min ... .max))"
        let bus = Process()
        bus.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        bus.arguments = ["-c", Self.deafBus, socket]
        let line = Pipe()
        bus.standardInput = line
        try bus.run()
        defer {
            try? line.fileHandleForWriting.close()
            bus.waitUntilExit()
            unlink(socket)
        }
        let end = Date().addingTimeInterval(30)
        while access(socket, F_OK) != 0, bus.isRunning, Date() < end { poll(nil, 0, 20) }
        let object = Endless()
        var wasReached = false
        do throws(SystemdError) {
            // The script listens an instant after it has its name.
            while true {
                do throws(SystemdError) {
                    try BusService(address: "unix:path=\(socket)", patience: 0.5).serve(object) { wasReached = true }
                } catch { if wasReached || Date() > end { throw error } }
            }
        } catch {
            #expect(error.message == "the bus takes nothing any more", "\(error)")
        }
        // What the socket holds is all that was asked for.
        #expect(wasReached)
        #expect(object.said > 10 && object.said < 1000, "\(object.said)")
    }

    @Test func `says where there is no bus`() {
        var message = ""
        do throws(SystemdError) {
            try BusService(address: "unix:path=/no/such/bus").serve(Endless()) {}
        } catch { message = "\(error)" }
        #expect(message == "cannot serve org.patchd1: No such file or directory (System.Error.2)")
    }
}
