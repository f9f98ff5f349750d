import Glibc

extension ServiceManager {
    /// Creates and starts a transient service; returns when its program runs (or has already ended).
    ///
    /// systemd copies the descriptors; the caller keeps its own, and systemd closes the copies when the service has
    /// ended. If a unit of that name still exists, it is given `patience` to end and be removed.
    ///
    /// A program that could not be run throws with the job's ``SystemdError/result``. One that ran and failed, however
    /// soon, does not. A connection that breaks on the way (`isDisconnected`) leaves it unknown whether it was started.
    public func startTransient(
        _ service: TransientService, patience: Duration = .seconds(10)
    ) throws(SystemdError) {
        let (result, end) = try launch(service, patience: patience)
        guard result != .done, result != .failed || !end.isOfProgram else { return }
        let status = end.isExit ? " (exit status \(end.status), see systemd.exec(5))" : ""
        throw SystemdError(
            SystemdError.Operation("start", service.name), name: "",
            message: "its job ended as \"\(result)\"\(status); see journalctl -u \(service.name)", result: result)
    }

    /// Creates a transient service of `Type=oneshot` and waits until it has ended.
    ///
    /// - Returns: `done` when its program ended successfully; else why it did not. Its output is in the journal.
    public func run(_ service: TransientService, patience: Duration = .seconds(10)) throws(SystemdError) -> JobResult {
        var service = service
        service.properties.append(.oneshot)
        return try launch(service, patience: patience).result
    }

    private func launch(
        _ service: TransientService, patience: Duration
    ) throws(SystemdError) -> (result: JobResult, end: ProgramEnd) {
        let operation = SystemdError.Operation("start", service.name)
        let deadline = Bus.now + patience.usec
        let bus = try Bus(isDirect: isDirect, for: operation)
        let path = try Bus.path(ofUnit: service.name, for: operation)
        try bus.subscribe(unitAt: path, for: operation)
        let job = try Self.enqueue(service, at: path, bus, operation, until: deadline)
        var result = JobResult.done
        var end = ProgramEnd()
        // systemd signals the unit's changes before the job's end, after which it may forget the unit.
        try Self.awaitJobs([job], bus, operation) {
            result = $1
        } meanwhile: { signal throws(SystemdError) in
            if signal.path == path { try end.read(signal) }
        }
        return (result, end)
    }

    /// The job's path.
    private static func enqueue(
        _ service: TransientService, at path: String, _ bus: borrowing Bus, _ operation: SystemdError.Operation,
        until deadline: UInt64
    ) throws(SystemdError) -> String {
        while true {
            do throws(SystemdError) {
                return try bus.call("StartTransientUnit", for: operation) { message throws(SystemdError) in
                    try message.append(unit: service.name)
                    try message.append("fail")
                    try message.container("a", "(sv)") { () throws(SystemdError) in
                        for property in service.allProperties { try message.append(property) }
                    }
                    try message.container("a", "(sa(sv))") {}
                }.requiredText("o")
            } catch  where error.name == "org.freedesktop.systemd1.UnitExists" {
                // The bus has been subscribed since before the call; whatever the signal is about, asking again is
                // cheap.
                guard try awaitChange(ofUnitAt: path, until: deadline, bus, operation) else { throw error }
            }
        }
    }
}

/// How a service's main process ended. One that ends at once may have ended before systemd saw that its program ran,
/// and its start is then reported as failed; only this distinguishes it from a program that could not be run.
///
/// Why: docs/decisions/units.md#a-program-that-ends-at-once-was-started
private struct ProgramEnd {
    /// As waitid(2) has it: 0 while nothing is known.
    private var code: Int32 = 0
    private(set) var status: Int32 = 0

    var isExit: Bool { code == Int32(CLD_EXITED) }

    /// Whether the program itself ended: systemd's own process, before it becomes the program, exits with 200 and above
    /// (systemd.exec(5), "Process Exit Codes").
    var isOfProgram: Bool { code != 0 && !(isExit && status >= 200) }

    /// Reads a `PropertiesChanged` of the service.
    mutating func read(_ signal: borrowing BusMessage) throws(SystemdError) {
        guard signal.isSignal(Bus.propertiesInterface, "PropertiesChanged") else { return }
        guard try signal.requiredText() == "org.freedesktop.systemd1.Service" else { return }
        try signal.each("e", "sv") { () throws(SystemdError) in
            switch try signal.requiredText() {
            case "ExecMainCode": code = try signal.variant("i", Self.number)
            case "ExecMainStatus": status = try signal.variant("i", Self.number)
            default: try signal.skip("v")
            }
        }
    }

    private static func number(_ message: borrowing BusMessage) throws(SystemdError) -> Int32 {
        try message.number("i", Int32(0))
    }
}
