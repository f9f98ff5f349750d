import Glibc
public import Logging
public import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// The whole daemon: where everything lies, and what it works through.
public struct Daemon: Sendable {
    private let directories: Directories
    private let once: Bool
    private let workers: any Workers
    private let units: any Units
    private let notifications: any ServiceNotifications
    private let bus: (any SystemBus)?
    private let logger: Logger
    private let knownUnits: @Sendable () throws -> KnownUnits
    private let reloadSignal: ReloadSignal?

    /// A daemon that has not begun.
    ///
    /// - Parameters:
    ///   - once: it ends when nothing can run any more.
    ///   - bus: where others see the daemon's state; nil: nowhere.
    ///   - reloadSignal: asks for the configuration to be read again; nil: nothing does.
    ///   - knownUnits: asked whenever the configuration is read.
    public init(
        directories: Directories, once: Bool, workers: any Workers, units: any Units,
        notifications: any ServiceNotifications, bus: (any SystemBus)?,
        logger: Logger, reloadSignal: ReloadSignal?, knownUnits: @escaping @Sendable () throws -> KnownUnits
    ) {
        self.reloadSignal = reloadSignal
        self.directories = directories
        self.once = once
        self.workers = workers
        self.units = units
        self.notifications = notifications
        self.bus = bus
        self.logger = logger
        self.knownUnits = knownUnits
    }

    /// Runs until the process is ended, or with `once` until nothing can run.
    ///
    /// - Returns: the exit code (contract §2, §9).
    public func run() async -> Int32 {
        let state = StateDirectory(path: directories.state)
        Signals.ignoreBrokenLeases()
        do {
            try state.create()
            let guardFile = try Directory.open(directories.state).appendingFile("lock")
            // A child that a killed daemon was just starting holds the lock until it is the program it is to be.
            let end = MonotonicClock.seconds + 1
            var isOurs = try guardFile.lock()
            while !isOurs, MonotonicClock.seconds < end {
                MonotonicClock.wait(seconds: 0.02)
                isOurs = try guardFile.lock()
            }
            guard isOurs else {
                logger.log(.anotherDaemon, "another patchd works on \(directories.state); this one ends")
                return 5
            }
            try state.removeLeftovers()
            guard let configuration = try read() else {
                notifications.status(StatusLine(jobs: [], isRefused: true).text)
                tellWhatStaysDown(state)
                // Of a service, EX_CONFIG of sysexits.h: systemd does not start it again.
                return once ? 4 : 78
            }
            let spool = Spool(path: directories.spool)
            try spool.create()
            try spool.removeLeftovers()
            let context = DaemonContext(
                directories: directories, configuration: configuration, state: state, spool: spool, workers: workers,
                units: units, logger: logger, notices: NoticeQueue(), once: once,
                holds: Holds(path: spool.holds, logger: logger),
                failures: FailureCount(), published: PublishedState(state, on: bus))
            var loop = try Scheduler(
                context: context, notifications: notifications, reloadSignal: reloadSignal, read: read)
            let code = try await loop.run()
            _ = consume guardFile
            return code
        } catch {
            logger.log(.cannotGoOn, "cannot go on: \(error)")
            tellWhatStaysDown(state)
            return 1
        }
    }

    /// The configuration; nil when it is refused, which is told.
    private func read() throws -> Configuration? {
        let began = MonotonicClock.seconds
        do {
            return try ConfigurationDirectory(directories.configuration).load(units: knownUnits())
        } catch let error as ConfigurationErrors {
            for problem in error.problems { logger.log(.configurationRefused, "configuration refused: \(problem)") }
            let answer = ConfigurationAnswer(refused: error.problems.map { "\($0)" }, began: began)
            do {
                try StateDirectory(path: directories.state).write(answer)
            } catch {
                logger.log(.cannotGoOn, "cannot record that the configuration is refused: \(error)")
            }
            return nil
        }
    }

    /// An admin who wonders why a service does not start has to find the reason.
    private func tellWhatStaysDown(_ state: StateDirectory) {
        let down = (try? state.keptDown()) ?? []
        if down.isEmpty { return }
        logger.log(
            .unitsStayDown,
            "an update is not finished, so these units stay down until patchd runs: \(down.sorted().joined(separator: ", "))"
        )
    }
}
