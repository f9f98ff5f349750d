import Glibc
public import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchStore

/// The whole daemon: takes drops, answers requests, and gives each endpoint's jobs their turns.
public struct Daemon: Sendable {
    private let places: Places
    private let withoutSystemd: Bool
    private let once: Bool
    private let log: Logger

    /// A daemon that has not begun.
    ///
    /// - Parameter once: it ends when nothing can run any more.
    public init(places: Places, withoutSystemd: Bool, once: Bool, log: Logger) {
        self.places = places
        self.withoutSystemd = withoutSystemd
        self.once = once
        self.log = log
    }

    /// Runs until the process is ended, or with `once` until nothing can run.
    ///
    /// - Returns: the exit code (contract §2, §9).
    /// - Throws: what keeps it from running at all.
    public func run() async throws -> Int32 {
        let state = StateDirectory(path: places.state)
        try state.create()
        let guardFile = try Directory.open(places.state).appendingFile("lock")
        guard try guardFile.lock() else {
            log.error("another patchd works on this state directory", metadata: ["state": "\(places.state)"])
            return 5
        }
        let configuration: Configuration
        do {
            configuration = try ConfigurationDirectory(places.configuration).load(withoutSystemd: withoutSystemd)
        } catch {
            for problem in error.problems { log.error("configuration", metadata: ["problem": "\(problem)"]) }
            return 4
        }
        let spool = Spool(path: places.spool)
        try spool.create()
        let faultPoint = getenv("PATCHD_FAULT_POINT").map { String(cString: $0) }
        let host = Host(
            places: places, configuration: configuration, state: state, spool: spool,
            workers: ChildWorkers(program: places.worker, faultPoint: faultPoint), log: log, once: once,
            failures: FailureCount())
        let code = try await serve(host)
        _ = consume guardFile
        return code
    }

    private func serve(_ host: Host) async throws -> Int32 {
        let jobs = try JobTable(host.state)
        let watch = try DirectoryWatch([host.spool.incoming, host.spool.requests, host.spool.path + "/holds"])
        let intake = Intake(host: host, jobs: jobs)
        let requests = Requests(host: host, jobs: jobs)
        let turns = Turns(host: host, jobs: jobs)
        let configured = host.configuration.daemon.workers
        let slots = WorkerSlots(configured > 0 ? configured : max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        let busy = BusyEndpoints()
        var locks: [String: Locks] = [:]
        for endpoint in host.configuration.endpoints {
            locks[endpoint.name] = Locks(endpoint: endpoint, log: log)
            try await restore(endpoint, locks[endpoint.name], host, jobs)
        }
        try await intake.recover()
        log.info("ready", metadata: ["endpoints": "\(host.configuration.endpoints.count)"])
        return try await withThrowingTaskGroup(of: Void.self) { group in
            while true {
                var moved = try await requests.answerAll()
                let (taken, again) = try await intake.scan()
                moved = moved || taken
                for endpoint in host.configuration.endpoints {
                    guard let own = locks[endpoint.name], await !busy.contains(endpoint.name),
                        let number = try await turns.next(endpoint)
                    else { continue }
                    moved = true
                    await busy.insert(endpoint.name)
                    let run = JobRun(
                        host: host, endpoint: endpoint, jobs: jobs, slots: slots, locks: own, number: number)
                    group.addTask {
                        await run.run()
                        await busy.remove(endpoint.name)
                        watch.wake()
                    }
                }
                if moved { continue }
                if host.once, await busy.isEmpty, again == nil { break }
                // Once a minute the scan is the truth, whatever the events said.
                watch.wait(seconds: min(again ?? 60, 60))
            }
            try await group.waitForAll()
            return try await exitCode(host, jobs)
        }
    }

    /// Brings state files and locks of an endpoint to what they should be when nothing runs yet.
    private func restore(_ endpoint: Endpoint, _ locks: Locks?, _ host: Host, _ jobs: JobTable) async throws {
        let states = FolderStates(host: host, endpoint: endpoint)
        try states.recordNewFolders()
        var job = await jobs.holding(endpoint.name)
        if let running = await jobs.all(of: endpoint.name).first(where: { $0.state == .running }) {
            // It goes on by itself; whether it had come to its locks is seen from its folders.
            let isLocked = running.folders.values.contains { $0.state == .running || $0.state == .done }
            if !isLocked, !running.folders.isEmpty { return }
            job = isLocked ? running : job
        }
        do throws(Fault) {
            try locks?.set(try wanted(job, endpoint, states))
        } catch {
            host.log.error("cannot restore locks", metadata: ["endpoint": "\(endpoint.name)", "reason": "\(error)"])
        }
    }

    private func wanted(_ job: Job?, _ endpoint: Endpoint, _ states: FolderStates) throws(Fault) -> [String: UpdateLock]
    {
        do throws(StoreError) {
            return try EndpointLocks(endpoint: endpoint, states: states).wanted(for: job)
        } catch {
            throw Fault(.io, error.description)
        }
    }

    private func exitCode(_ host: Host, _ jobs: JobTable) async throws -> Int32 {
        if !host.failures.isEmpty { return 1 }
        for endpoint in host.configuration.endpoints {
            let open = await jobs.all(of: endpoint.name).filter { !$0.state.isFinal }
            if open.contains(where: { $0.state == .pendingApproval }) { return 6 }
            if !open.isEmpty { return 5 }
        }
        return 0
    }
}

/// The endpoints at which a job runs.
private actor BusyEndpoints {
    private var names: Set<String> = []

    var isEmpty: Bool { names.isEmpty }

    func contains(_ name: String) -> Bool { names.contains(name) }

    func insert(_ name: String) { names.insert(name) }

    func remove(_ name: String) { names.remove(name) }
}
