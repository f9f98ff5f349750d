extension ServiceManager {
    /// Makes and starts a transient service; returns when its program runs (or has ended already).
    ///
    /// systemd copies the descriptors; the caller's stay the caller's. Where a unit of that name is still there, it is
    /// given `patience` to end and be removed. A start that fails throws with the job's ``SystemdError/result``; why the
    /// program could not be run is then in the journal. A connection that breaks on the way (`isDisconnected`) leaves
    /// open whether it was started.
    public func startTransient(
        _ service: TransientService, patience: Duration = .seconds(10)
    ) throws(SystemdError) {
        let operation = SystemdError.Operation("start", service.name)
        let deadline = Bus.now + patience.usec
        let bus = try Bus(for: operation)
        let path = try Bus.path(ofUnit: service.name, for: operation)
        try bus.subscribe(unitAt: path, for: operation)
        let job = try Self.enqueue(service, at: path, bus, operation, until: deadline)
        var result = JobResult.done
        try Self.awaitJobs([job], bus, operation) { result = $1 }
        guard result == .done else {
            throw SystemdError(
                operation, name: "",
                message: "its job ended as \"\(result)\"; see journalctl -u \(service.name)", result: result)
        }
    }

    /// The job's path.
    private static func enqueue(
        _ service: TransientService, at path: String, _ bus: borrowing Bus, _ operation: SystemdError.Operation,
        until deadline: UInt64
    ) throws(SystemdError) -> String {
        while true {
            do throws(SystemdError) {
                return try bus.call("StartTransientUnit", for: operation) { message throws(SystemdError) in
                    try message.append(service.name)
                    try message.append("fail")
                    try message.container("a", "(sv)") { () throws(SystemdError) in
                        for property in service.allProperties { try message.append(property) }
                    }
                    try message.container("a", "(sa(sv))") {}
                }.requiredText("o")
            } catch  where error.name == "org.freedesktop.systemd1.UnitExists" {
                // The bus has its signals since before the call; whatever it is about, asking again is cheap.
                guard try awaitChange(ofUnitAt: path, until: deadline, bus, operation) else { throw error }
            }
        }
    }
}
