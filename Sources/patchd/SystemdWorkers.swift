import Glibc
import PatchFiles
import Supervisor
import Systemd

/// Workers as services of their own: they outlive the daemon, and `systemctl status` and `journalctl -u` work on them.
struct SystemdWorkers: Workers {
    /// The program.
    let program: String
    let faultPoint: String?
    /// Where copies of credentials lie until systemd has read them.
    let credentials: String
    private let manager = ServiceManager()
    private let units = SystemdUnits()

    init(program: String, faultPoint: String?, credentials: String) {
        self.program = program
        self.faultPoint = faultPoint
        self.credentials = credentials
    }

    private var environment: [String: String] {
        var variables = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
        ]
        variables["PATCHD_FAULT_POINT"] = faultPoint
        return variables
    }

    func unpack(in directory: String, id: String) throws -> String? {
        let unit = "patchd-unpack@\(id).service"
        guard try manager.status(of: unit).loadState == "loaded" else {
            // Not installed: the same program without rights, but not caged.
            return try ChildWorkers(program: program, faultPoint: faultPoint, credentials: credentials).unpack(
                in: directory, id: id)
        }
        try UnpackUser.give(Directory.open(directory + "/content/tree"), to: UnpackUser.identity)
        return try finish(unit, in: directory)
    }

    func checkSignature(in directory: String, id: String) throws -> String? {
        let unit = "patchd-signature@\(id).service"
        guard try manager.status(of: unit).loadState == "loaded" else {
            // As above.
            return try ChildWorkers(program: program, faultPoint: faultPoint, credentials: credentials).checkSignature(
                in: directory, id: id)
        }
        return try finish(unit, in: directory)
    }

    /// Runs an installed unit to its end, or ends it when that takes too long.
    private func finish(_ unit: String, in directory: String) throws -> String? {
        let seconds = try ReaderPatience.seconds(for: Directory.open(directory))
        let result = try manager.start([unit], patience: .seconds(seconds))[unit] ?? .failed
        if result == .done { return nil }
        if result == .enqueued {
            // It may have ended just now.
            try? manager.kill(unit, signal: SIGKILL)
            try manager.waitUntilInactive(unit)
            return ReaderPatience.isOver(seconds)
        }
        stayWhileShuttingDown()
        return "\(unit) ended as \(result)"
    }

    func work(
        _ start: WorkerStart, tree: borrowing Directory, ledger: consuming File, trace: consuming File
    ) throws -> String? {
        var service = TransientService(
            name: start.name + ".service",
            description: "patchd job \(start.job): \(start.phase.rawValue) \(start.endpoint)/\(start.folder)",
            command: [program, start.phase.rawValue])
        service.environment = environment
        if let user = start.user {
            service.user = "\(user.uid)"
            service.group = "\(user.gid)"
            service.supplementaryGroups = user.groups.map(String.init)
        }
        let input = try start.input(tree: tree)
        service.standardInput = input.descriptor
        service.standardOutput = ledger.descriptor
        service.standardError = trace.descriptor
        service.properties = WorkerCage.properties(start)
        let copies = start.credentialFiles.isEmpty ? nil : try WorkerCredentials(in: credentials, of: start, for: nil)
        for file in start.credentialFiles {
            guard let copies else { continue }
            service.properties.append(.loadCredential(file.name, from: "\(copies.path)/\(file.name)"))
        }
        // The descriptors are the service's from here on; the ledger's lock is free when it has ended.
        let end = try begin(service)
        _ = consume input
        // The program runs, so systemd has read them; where that is not known they stay until the next worker.
        if end == nil { copies?.remove() }
        return end
    }

    func interrupt(_ start: WorkerStart) {
        // A worker that is not there any more has ended by itself.
        try? manager.kill(start.name + ".service", signal: SIGTERM, onlyMain: true)
    }

    /// Starts a service; a connection that breaks is no error.
    private func begin(_ service: TransientService) throws -> String? {
        do throws(SystemdError) {
            try manager.startTransient(service)
            return nil
        } catch {
            stayWhileShuttingDown()
            guard error.isDisconnected else { throw error }
            // PID 1 executes itself anew, or goes down. Whether the worker was started is seen from the ledger's lock.
            MonotonicClock.wait(seconds: 0.2)
            return error.description
        }
    }

    /// On the way down systemd ends services and starts none. That is nobody's failure, and nothing is made of it: the
    /// daemon is ended next, and goes on after the boot.
    private func stayWhileShuttingDown() {
        while units.isShuttingDown() { MonotonicClock.wait(seconds: 1) }
    }

    /// The daemon has no capability to do it, and a service of its own has no other one.
    func signal(_ process: borrowing ProcessHandle, _ number: Int32) throws -> String? {
        var service = TransientService(
            name: "patchd-signal-\(getpid())-\(process.descriptor.descriptor).service",
            description: "patchd: signal \(number) to \(process.descriptor.path)",
            command: [program, "signal", "\(number)"])
        service.environment = environment
        service.standardInput = process.descriptor.descriptor
        service.properties = WorkerCage.signalProperties
        return try run(service, seconds: 10)
    }

    func run(_ command: String, for endpoint: String, environment own: [String: String], seconds: Double) throws
        -> String?
    {
        var service = TransientService(
            name: "patchd-command-\(endpoint).service", description: "patchd: command of \(endpoint)",
            command: ["/bin/sh", "-c", command])
        service.environment = environment.merging(own) { $1 }
        service.properties = [
            .timeoutStart(.seconds(seconds)),
            // PATCHD_ENDPOINT, PATCHD_JOB: what it prints is found as what is told of the job.
            .logExtraFields(
                own.sorted { $0.key < $1.key }.filter { !$0.value.isEmpty }.map { "\($0.key)=\($0.value)" }),
        ]
        return try run(service, seconds: seconds)
    }

    func notify(_ command: String, of notice: borrowing File, seconds: Double) throws -> String? {
        var service = TransientService(
            name: "patchd-notify.service", description: "patchd: notify", command: ["/bin/sh", "-c", command])
        service.environment = environment
        service.standardInput = notice.descriptor
        service.properties = [.timeoutStart(.seconds(seconds))]
        return try run(service, seconds: seconds)
    }

    /// - Parameter seconds: after them it is stopped; one that runs since before a restart of the daemon is waited for as
    ///   long, and a little longer.
    private func run(_ service: TransientService, seconds: Double) throws -> String? {
        let result = try manager.run(service, patience: .seconds(seconds + 10))
        if result == .done { return nil }
        stayWhileShuttingDown()
        return "its job ended as \(result); see journalctl -u \(service.name)"
    }
}
