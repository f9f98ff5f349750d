extension ServiceManager {
    /// Stops units and waits until each is down; how it went, by name. All are asked for before the first is waited
    /// for, in the order given. A unit that is not loaded, or down already, is done.
    ///
    /// - Parameter patience: those that are not down by then are `enqueued`: systemd goes on with them. A further call
    ///   waits for the same job.
    public func stop(_ names: [String], patience: Duration? = nil) throws(SystemdError) -> [String: JobResult] {
        try run("StopUnit", SystemdError.Operation("stop", names.joined(separator: " ")), names, patience: patience)
    }

    /// Starts units and waits until each is up; the result by name. All jobs are queued before the first is waited for,
    /// in the order given. A unit that is already up is done, and so is one that a condition keeps down.
    ///
    /// Those in `withoutWaitingFor` are only `enqueued`: a service of type oneshot is up when it is through, and so is
    /// what is ordered after it.
    ///
    /// - Parameter patience: those that are not up by then are `enqueued`, too.
    public func start(
        _ names: [String], withoutWaitingFor unawaited: Set<String> = [], patience: Duration? = nil
    ) throws(SystemdError) -> [String: JobResult] {
        try run(
            "StartUnit", SystemdError.Operation("start", names.joined(separator: " ")), names, unawaited,
            patience: patience)
    }

    /// Returns when nothing of a unit runs any more: at once when it is down or not loaded.
    public func waitUntilInactive(_ name: String) throws(SystemdError) {
        let operation = SystemdError.Operation("wait for the end of", name)
        try connected(operation) { bus throws(SystemdError) in
            guard let path = try Self.pathIfLoaded(name, bus, operation) else { return }
            try bus.subscribe(unitAt: path, for: operation)
            // Only now: a change before the subscription is seen here, a later one is signalled.
            while try Self.pathIfLoaded(name, bus, operation) != nil {
                let state = try Self.text("ActiveState", ofUnitAt: path, bus, operation)
                if ["inactive", "failed"].contains(state) { return }
                try Self.awaitChange(ofUnitAt: path, bus, operation)
            }
        }
    }

    // MARK: -

    private func run(
        _ method: String, _ operation: SystemdError.Operation, _ names: [String], _ unawaited: Set<String> = [],
        patience: Duration?
    ) throws(SystemdError) -> [String: JobResult] {
        try connected(operation) { bus throws(SystemdError) in
            let deadline = patience.map { Bus.now + UInt64(max(0, $0 / .microseconds(1))) } ?? .max
            try bus.subscribe(for: operation)
            var results: [String: JobResult] = [:]
            var jobs: [String: [String]] = [:]
            for name in names {
                do throws(SystemdError) {
                    let job = try Self.enqueue(method, name, bus, operation)
                    if unawaited.contains(name) {
                        results[name] = .enqueued
                    } else {
                        jobs[job, default: []].append(name)
                    }
                } catch  where error.isNoSuchUnit && method == "StopUnit" {
                    results[name] = .done
                } catch  where !error.isDisconnected {
                    results[name] = .refused(error.message)
                }
            }
            for name in jobs.values.joined() { results[name] = .enqueued }
            try Self.awaitJobs(Set(jobs.keys), until: deadline, bus, operation) { job, result in
                for name in jobs[job] ?? [] { results[name] = result }
            }
            return results
        }
    }

    /// The path of the job that systemd created, or already had.
    private static func enqueue(
        _ method: String, _ name: String, _ bus: borrowing Bus, _ operation: SystemdError.Operation
    ) throws(SystemdError) -> String {
        try bus.call(method, for: operation) { message throws(SystemdError) in
            try message.append(unit: name)
            try message.append("replace")
        }.requiredText("o")
    }

    /// Waits until all these jobs are gone, or the time is over. The subscription has to be older than they.
    static func awaitJobs(
        _ jobs: Set<String>, until deadline: UInt64 = .max, _ bus: borrowing Bus, _ operation: SystemdError.Operation,
        ended: (String, JobResult) -> Void,
        meanwhile: (borrowing BusMessage) throws(SystemdError) -> Void = { _ in }
    ) throws(SystemdError) {
        var left = jobs
        while !left.isEmpty {
            guard let signal = try bus.nextSignal(until: deadline, for: operation) else { return }
            guard signal.isSignal(Bus.managerInterface, "JobRemoved") else {
                try meanwhile(signal)
                continue
            }
            try signal.skip("u")
            let job = try signal.requiredText("o")
            try signal.skip("s")
            let result = JobResult(word: try signal.requiredText())
            if left.remove(job) != nil { ended(job, result) }
        }
    }

    static func pathIfLoaded(
        _ name: String, _ bus: borrowing Bus, _ operation: SystemdError.Operation
    ) throws(SystemdError) -> String? {
        do throws(SystemdError) {
            return try bus.call("GetUnit", for: operation) { message throws(SystemdError) in
                try message.append(unit: name)
            }
            .requiredText("o")
        } catch  where error.isNoSuchUnit {
            return nil
        }
    }

    /// Waits until the unit may have changed: its properties changed or it was removed. False when the time is over.
    @discardableResult
    static func awaitChange(
        ofUnitAt path: String, until deadline: UInt64 = .max, _ bus: borrowing Bus, _ operation: SystemdError.Operation
    ) throws(SystemdError) -> Bool {
        while let signal = try bus.nextSignal(until: deadline, for: operation) {
            if signal.isSignal(Bus.propertiesInterface, "PropertiesChanged"), signal.path == path { return true }
            if signal.isSignal(Bus.managerInterface, "UnitRemoved") {
                try signal.skip("s")
                if try signal.requiredText("o") == path { return true }
            }
        }
        return false
    }
}
