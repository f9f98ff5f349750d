import Foundation
import Testing

/// A system bus of a test's own: Debian's dbus-daemon, with the policy that is installed with patchd.
final class PrivateBus {
    let host: Installation
    private var process: RunningProgram?

    /// A bus that does not run yet.
    ///
    /// - Parameter isOpen: whether everybody may send everything, so that what is refused is refused by patchd.
    init(for host: Installation, isOpen: Bool = false) throws {
        self.host = host
        let sources = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardizedFileURL.path
        let calls = isOpen ? "<allow send_type=\"method_call\"/>" : "<deny send_type=\"method_call\"/>"
        // As /usr/share/dbus-1/system.conf has it.
        try host.write(
            """
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
             "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig>
              <type>system</type>
              <auth>EXTERNAL</auth>
              <listen>unix:path=\(socket)</listen>
              <policy context="default">
                <allow user="*"/>
                <deny own="*"/>
                \(calls)
                <allow send_type="signal"/>
                <allow send_requested_reply="true" send_type="method_return"/>
                <allow send_requested_reply="true" send_type="error"/>
                <allow receive_type="method_call"/>
                <allow receive_type="method_return"/>
                <allow receive_type="error"/>
                <allow receive_type="signal"/>
                <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
              </policy>
              <includedir>\(sources)/share/dbus-1/system.d</includedir>
            </busconfig>

            """, "bus.conf")
    }

    private var socket: String { "\(host.root)/bus" }

    /// What leads a program to this bus.
    var environment: [String: String] { ["DBUS_SYSTEM_BUS_ADDRESS": "unix:path=\(socket)"] }

    func start() throws {
        unlink(socket)
        let process = try RunningProgram(
            "/usr/bin/dbus-daemon", ["--config-file=\(host.root)/bus.conf", "--nofork", "--nopidfile"])
        self.process = process
        try #require(host.until("the bus listens") { self.host.exists("bus") }, "\(process.errors)")
    }

    /// Ends it, as a crash does.
    func stop() { process = nil }

    func send(_ signal: Int32) { process?.send(signal) }

    /// Has a client of the bus run to its end.
    ///
    /// - Parameter user: nil for this process's; else with its groups.
    func run(_ command: String..., as user: (uid: Int, groups: String)? = nil) throws -> Installation.Outcome {
        let all = Self.words(command, as: user)
        return try Installation.run(all[0], Array(all.dropFirst()), environment: environment)
    }

    /// A client that listens to patchd's signals: `gdbus monitor`.
    func listen(as user: (uid: Int, groups: String)? = nil) throws -> RunningProgram {
        let all = Self.words(["/usr/bin/gdbus", "monitor", "--system", "--dest", "org.patchd1"], as: user)
        let listener = try RunningProgram(all[0], Array(all.dropFirst()), environment: environment)
        try #require(host.until("listens") { listener.output.contains("is owned by") }, "\(listener.errors)")
        return listener
    }

    private static func words(_ command: [String], as user: (uid: Int, groups: String)?) -> [String] {
        guard let user else { return command }
        let groups = user.groups.isEmpty ? ["--clear-groups"] : ["--groups", user.groups]
        return ["/usr/bin/setpriv", "--reuid", "\(user.uid)", "--regid", "65534"] + groups + command
    }

    /// Starts a daemon that is to be on this bus.
    func startDaemon() throws -> RunningProgram {
        try RunningProgram(host.program("patchd"), host.placed([]), environment: environment)
    }

    /// Waits until patchd is on the bus.
    func untilOwned() throws {
        try #require(
            host.until("the name is there") {
                (try? run("/usr/bin/busctl", "--system", "status", "org.patchd1").code) == 0
            })
    }

    /// A property as `busctl` prints it.
    func property(_ name: String, as user: (uid: Int, groups: String)? = nil) throws -> Installation.Outcome {
        try run(
            "/usr/bin/busctl", "--system", "get-property", "org.patchd1", "/org/patchd1", "org.patchd1.Manager", name,
            as: user)
    }
}
