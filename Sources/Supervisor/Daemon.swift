import Glibc
public import Logging
public import PatchConfig
import PatchFiles
import PatchModel
import PatchStore

/// The whole daemon: where everything lies, and what it works through.
public struct Daemon: Sendable {
    private let places: Places
    private let once: Bool
    private let workers: any Workers
    private let units: any Units
    private let notifications: any ServiceNotifications
    private let log: Logger
    private let knownUnits: @Sendable () throws -> KnownUnits

    /// A daemon that has not begun.
    ///
    /// - Parameters:
    ///   - once: it ends when nothing can run any more.
    ///   - knownUnits: asked whenever the configuration is read.
    public init(
        places: Places, once: Bool, workers: any Workers, units: any Units, notifications: any ServiceNotifications,
        log: Logger, knownUnits: @escaping @Sendable () throws -> KnownUnits
    ) {
        self.places = places
        self.once = once
        self.workers = workers
        self.units = units
        self.notifications = notifications
        self.log = log
        self.knownUnits = knownUnits
    }

    /// Runs until the process is ended, or with `once` until nothing can run.
    ///
    /// - Returns: the exit code (contract §2, §9).
    public func run() async -> Int32 {
        if !once { Signals.listen() }
        let state = StateDirectory(path: places.state)
        Signals.ignoreBrokenLeases()
        do {
            try state.create()
            let guardFile = try Directory.open(places.state).appendingFile("lock")
            // A child that a killed daemon was just starting holds the lock until it is the program it is to be.
            let end = MonotonicClock.seconds + 1
            var isOurs = try guardFile.lock()
            while !isOurs, MonotonicClock.seconds < end {
                MonotonicClock.wait(seconds: 0.02)
                isOurs = try guardFile.lock()
            }
            guard isOurs else {
                log.tell(.anotherDaemon, "another patchd works on \(places.state); this one ends")
                return 5
            }
            try state.removeLeftovers()
            guard let configuration = try read() else {
                tellWhatStaysDown(state)
                return 4
            }
            let spool = Spool(path: places.spool)
            try spool.create()
            try spool.removeLeftovers()
            let host = Host(
                places: places, configuration: configuration, state: state, spool: spool, workers: workers,
                units: units, log: log, notices: NoticeQueue(), once: once, holds: Holds(path: spool.holds, log: log),
                failures: FailureCount())
            var loop = try MainLoop(host: host, notifications: notifications, read: read)
            let code = try await loop.run()
            _ = consume guardFile
            return code
        } catch {
            log.tell(.cannotGoOn, "cannot go on: \(error)")
            tellWhatStaysDown(state)
            return 1
        }
    }

    /// The configuration; nil when it is refused, which is told.
    private func read() throws -> Configuration? {
        do {
            return try ConfigurationDirectory(places.configuration).load(units: knownUnits())
        } catch let error as ConfigurationErrors {
            for problem in error.problems { log.tell(.configurationRefused, "configuration refused: \(problem)") }
            return nil
        }
    }

    /// An admin who wonders why a service does not start has to find the reason.
    private func tellWhatStaysDown(_ state: StateDirectory) {
        let down = (try? state.keptDown()) ?? []
        if down.isEmpty { return }
        log.tell(
            .unitsStayDown,
            "an update is not finished, so these units stay down until patchd runs: \(down.sorted().joined(separator: ", "))"
        )
    }
}
