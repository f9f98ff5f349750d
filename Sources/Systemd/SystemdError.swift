import Glibc

/// systemd refused something, or could not be reached.
public struct SystemdError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was being done, in words that follow "cannot": `stop`, `list units` …
    public var operation: String
    /// The unit; empty where there was none.
    public var unit: String
    /// The D-Bus error name, such as `org.freedesktop.systemd1.NoSuchUnit`; empty where a job failed.
    public var name: String
    /// What systemd, or the library, says about it.
    public var message: String
    /// How the unit's job ended, where that is the error.
    public var result: JobResult?
    /// Whether the connection broke, as it does when PID 1 re-executes itself; the operation may have been carried out.
    public var isDisconnected = false

    /// An error with all that is known.
    public init(_ operation: Operation, name: String, message: String, result: JobResult? = nil) {
        self.operation = operation.words
        self.unit = operation.unit
        self.name = name
        self.message = message
        self.result = result
    }

    /// An error of the library, by its negative error number.
    init(_ operation: Operation, code: Int32) {
        let words = strerror(-code).map { String(cString: $0) } ?? "error \(-code)"
        self.init(operation, name: "System.Error.\(-code)", message: words)
        isDisconnected = Self.disconnected.contains(-code)
    }

    /// `cannot stop payroll.service: Unit payroll.service not loaded. (org.freedesktop.systemd1.NoSuchUnit)`.
    public var description: String {
        let subject = unit.isEmpty ? "" : " \(unit)"
        return "cannot \(operation)\(subject): \(message)\(name.isEmpty ? "" : " (\(name))")"
    }

    /// Whether systemd does not have the unit, on disk or in memory.
    public var isNoSuchUnit: Bool { name == "org.freedesktop.systemd1.NoSuchUnit" }

    /// Whether the call did not reach systemd.
    var isLocal: Bool { name.hasPrefix("System.Error.") }

    /// What is being done to which unit, for an error message.
    public struct Operation: Hashable, Sendable {
        var words: String
        var unit: String

        /// `words` follow "cannot".
        public init(_ words: String, _ unit: String = "") {
            self.words = words
            self.unit = unit
        }
    }

    static let disconnected: Set<Int32> = [ECONNRESET, ENOTCONN, EPIPE, ESHUTDOWN, ECONNREFUSED]
}
