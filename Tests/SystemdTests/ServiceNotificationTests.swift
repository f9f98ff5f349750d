import Foundation
import Testing

@testable import Systemd

/// The environment belongs to the whole process; each of these has one of its own.
@Suite struct `A service's notification` {
    /// A datagram socket as systemd has one, set as `NOTIFY_SOCKET`.
    private static func listen(_ name: String) -> Int32 {
        let listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        setenv("NOTIFY_SOCKET", name, 1)
        return listener
    }

    /// The next message; empty when there is none.
    private static func received(_ listener: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(listener, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }

    @Test func `says what systemd understands`() async {
        await #expect(processExitsWith: .success) {
            let name = "/tmp/notify-\(getpid())"
            let listener = Self.listen(name)
            defer { unlink(name) }
            let service = ServiceNotification()
            service.ready()
            #expect(Self.received(listener) == "READY=1")
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            service.reloading()
            let lines = Self.received(listener).split(separator: "\n")
            #expect(lines.first == "RELOADING=1" && lines.count == 2)
            let time = lines.last.flatMap { UInt64($0.drop { !$0.isNumber }) } ?? 0
            #expect(lines.last?.hasPrefix("MONOTONIC_USEC=") == true)
            #expect(time / 1_000_000 >= UInt64(now.tv_sec) && time / 1_000_000 <= UInt64(now.tv_sec) + 10)
            service.stopping()
            #expect(Self.received(listener) == "STOPPING=1")
            service.watchdog()
            #expect(Self.received(listener) == "WATCHDOG=1")
            service.status("SEED: 3 of 7, 40 %")
            #expect(Self.received(listener) == "STATUS=SEED: 3 of 7, 40 %")
            service.status("reason\nREADY=1\r\n")
            #expect(Self.received(listener) == "STATUS=reason READY=1  ")
        }
    }

    @Test func `never blocks, whoever fails to read, and the latest of each kind arrives when somebody reads`() async {
        await #expect(processExitsWith: .success) {
            let name = "/tmp/notify-full-\(getpid())"
            let listener = Self.listen(name)
            defer { unlink(name) }
            // A message that blocked would end the process.
            alarm(10)
            let service = ServiceNotification()
            // The kernel keeps ten (systemd sets 512), and a sender waits for the next.
            for number in 1...2000 { service.status("\(number)") }
            service.ready()
            var messages: [String] = []
            while case let message = Self.received(listener), !message.isEmpty { messages.append(message) }
            #expect(messages.first == "STATUS=1" && messages.count < 2000)
            service.watchdog()
            messages = []
            while case let message = Self.received(listener), !message.isEmpty { messages.append(message) }
            #expect(messages == ["STATUS=2000", "READY=1", "WATCHDOG=1"])
        }
    }

    @Test func `reaches an abstract address`() async {
        await #expect(processExitsWith: .success) {
            let name = "@patchd-test-\(getpid())"
            let listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { path in
                path.copyBytes(from: name.utf8)
                path[0] = 0
            }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sa_family_t>.size + name.utf8.count))
                }
            }
            #expect(bound == 0)
            setenv("NOTIFY_SOCKET", name, 1)
            ServiceNotification().ready()
            #expect(Self.received(listener) == "READY=1")
        }
    }

    @Test func `goes nowhere without a socket`() async {
        await #expect(processExitsWith: .success) {
            unsetenv("NOTIFY_SOCKET")
            unsetenv("WATCHDOG_USEC")
            let service = ServiceNotification()
            service.ready()
            service.status("nobody listens")
            #expect(service.watchdogInterval == nil)
            setenv("NOTIFY_SOCKET", "/no/such/socket", 1)
            service.ready()
        }
    }

    @Test func `knows its watchdog`() async {
        await #expect(processExitsWith: .success) {
            setenv("WATCHDOG_USEC", "2500000", 1)
            #expect(ServiceNotification().watchdogInterval == .milliseconds(2500))
            setenv("WATCHDOG_PID", "\(getpid())", 1)
            #expect(ServiceNotification().watchdogInterval == .milliseconds(2500))
            // Inherited from another process that is watched.
            setenv("WATCHDOG_PID", "1", 1)
            #expect(ServiceNotification().watchdogInterval == nil)
        }
    }
}
