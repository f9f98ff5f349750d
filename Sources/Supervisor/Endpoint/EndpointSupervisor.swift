import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// Owns all that belongs to one endpoint: its configuration in effect, its folders' states and locks, whose turn it is, when
/// it is tried again, and what its databases are to show. It decides; what it decides on a folder's file system runs on that
/// folder's thread.
///
/// Two tasks live as long as it does: ``run()`` takes its jobs and its commands one after the other, ``keep()`` sees to
/// locks that somebody touched and to databases. Neither waits for the other.
actor EndpointSupervisor {
    nonisolated let name: String
    private(set) var context: DaemonContext
    /// The configuration in effect. It changes between jobs only.
    private(set) var endpoint: Endpoint
    let stores: DaemonStores

    /// Raised when there may be a job or a command to take.
    nonisolated let turn = WakeSignal()
    /// Raised when a lock may have been touched, or something is to be shown in a database.
    nonisolated let upkeep = WakeSignal()

    /// By folder; the files are the same. Nil before they could be read.
    var states: [String: FolderState]?
    /// By folder.
    var locks: [String: FolderLock] = [:]
    /// By folder, why its lock is not what it should be: logged once, and tried again.
    var lockProblems: [String: String] = [:]
    /// By folder, how often its lock was restored since that was last said.
    var restorations = RepeatCount()
    /// The newest state of the jobs from which the locks were computed.
    var lockRevision = 0
    /// By folder, what its database does not show yet; nil for that it is unlocked.
    var notices: [String: UpdateLock?] = [:]
    /// Folders whose databases are just being shown something.
    var showing: Set<String> = []
    /// By folder, why its database does not show what it should: logged once, and tried again.
    var showProblems: [String: String] = [:]
    /// Folders whose databases may show other versions than their states say.
    var staleVersions: Set<String> = []
    /// Tasks that wait until everything is shown.
    var shownSignals: [WakeSignal] = []

    private var offered: (endpoint: Endpoint, context: DaemonContext)?
    private var isTakenUp = false
    private var areLocksDue = false
    private var isRetired = false
    private var isAtRest = false
    private var keeperRests = false
    private let backoff = RetryBackoff()
    /// By job that waits, when it is tried again at the earliest. A new run of the daemon tries at once.
    private var putOffUntil: [Int: Double] = [:]
    private let queued = QueuedUpdates()
    /// Commands that need the endpoint for themselves.
    nonisolated let answers = DeferredAnswers()
    nonisolated let plans = OptionPlans()

    /// An endpoint that is taken up when ``run()`` begins.
    init(_ endpoint: Endpoint, context: DaemonContext, stores: DaemonStores) {
        name = endpoint.name
        self.endpoint = endpoint
        self.context = context
        self.stores = stores
        offered = (endpoint, context)
    }

    /// Another configuration, taken up between two jobs.
    func offer(_ endpoint: Endpoint, _ context: DaemonContext) {
        offered = (endpoint, context)
        turn.raise()
    }

    /// Ends both tasks when what they are at is through: the configuration has no such endpoint any more.
    func retire() {
        isRetired = true
        turn.raise()
        upkeep.raise()
    }

    /// Whether there is nothing to do before something happens. With `--once` the daemon ends when all endpoints rest.
    var rests: Bool { isAtRest && keeperRests && !turn.isRaised && !upkeep.isRaised }

    /// Whether it is not tried again before the daemon is started again.
    var hasGivenUp: Bool { backoff.rest(of: .endpoint(name)) == .infinity }

    /// Has the locks follow what a command changed.
    func locksAreDue() {
        areLocksDue = true
        turn.raise()
    }

    // MARK: Turns

    /// Takes up the configuration, then jobs and commands as they come, until the endpoint is retired.
    func run() async {
        while !isRetired, !Task.isCancelled {
            isAtRest = false
            turn.clear()
            let next = await step()
            guard case .sleep(let seconds) = next else { continue }
            isAtRest = true
            stores.watch.wake()
            await turn.sleep(seconds: seconds)
        }
        isAtRest = true
        stores.watch.wake()
    }

    private enum Next {
        case again
        /// Nothing can be done before the signal, or before so many seconds have passed.
        case sleep(Double?)
    }

    private func step() async -> Next {
        if offered != nil { await takeUpOffer() }
        if let rest = backoff.rest(of: .endpoint(name)) { return .sleep(rest.isFinite ? rest : nil) }
        guard isTakenUp else {
            offered = offered ?? (endpoint, context)
            return .again
        }
        if areLocksDue {
            areLocksDue = false
            await setLocks()
        }
        await stores.gate.pass()
        if await carryOutCommand() { return .again }
        let timer = WakeTimer()
        let selector = JobSelector(
            context: context, endpoint: endpoint, jobs: stores.jobs, queued: queued, wakeTimer: timer, supervisor: self)
        do {
            if let number = try await selector.next() {
                await runJob(number)
                if await stores.jobs.takeRetentionDue(name, atOnce: false) { await forgetOldJobs() }
                return .again
            }
        } catch {
            backOff(
                "cannot see which job of \(name) has its turn: \(error)", EventFields(endpoint: name))
            return .again
        }
        if await stores.jobs.takeRetentionDue(name, atOnce: true) {
            await forgetOldJobs()
            return .again
        }
        return .sleep(timer.rest)
    }

    private func runJob(_ number: Int) async {
        let run = JobRun(context: context, endpoint: endpoint, supervisor: self, stores: stores, number: number)
        if let problem = await run.run() { backOff(problem, EventFields(job: number, endpoint: name)) }
        showAgain()
        stores.jobIsOver.raise()
        stores.watch.wake()
    }

    /// A job that waits is not tried again before so many seconds have passed.
    func putOff(_ job: Int, seconds: Double) { putOffUntil[job] = context.clocks.seconds + seconds }

    /// Seconds until a job is tried again; nil where nothing is in its way.
    func rest(of job: Int) -> Double? {
        guard let end = putOffUntil[job] else { return nil }
        let rest = end - context.clocks.seconds
        if rest <= 0 { putOffUntil[job] = nil }
        return rest > 0 ? rest : nil
    }

    private func forgetOldJobs() async {
        do {
            try await Retention(context: context, jobs: stores.jobs, slots: stores.slots).run(endpoint)
        } catch {
            context.logger.log(
                .notForgotten, "cannot remove what is no longer kept: \(error)", EventFields(endpoint: name))
        }
    }

    /// Carries out one command for which workers are started: no job runs meanwhile.
    private func carryOutCommand() async -> Bool {
        if let order = plans.asked.first {
            plans.begin(order)
            let preflight = Preflight(
                context: context, endpoint: endpoint,
                work: WorkerRun(context: context, endpoint: endpoint, slots: stores.slots, jobs: stores.jobs),
                quiesce: Quiesce(context: context, endpoint: endpoint, table: stores.units))
            let looksInside = await stores.jobs.holding(name).isEmpty
            do {
                plans.end(order, .success(try await order.planned(preflight, looksInside: looksInside)))
            } catch {
                plans.end(order, .failure(error))
            }
            stores.watch.wake()
            return true
        }
        guard let command = answers.asked.first else { return false }
        answers.begin(command)
        do {
            answers.end(command, .success(try await command.work()))
        } catch {
            answers.end(command, .failure(error))
        }
        stores.watch.wake()
        return true
    }

    private func backOff(_ problem: String, _ fields: EventFields) {
        context.failures.note()
        backoff.note(.endpoint(name), once: context.once)
        context.logger.log(.cannotGoOn, problem + RetryBackoff.outlook(once: context.once), fields)
    }

    // MARK: Configuration

    private func takeUpOffer() async {
        guard let (endpoint, context) = offered else { return }
        offered = nil
        self.context = context
        self.endpoint = endpoint
        do {
            // A kill may have come between a job's end and what follows from it, and `retain` be another one.
            await stores.jobs.markRetentionDue(name)
            try await takeUpStates()
            takeUpLocks()
            try context.state.write(inEffect: endpoint)
            isTakenUp = true
            await setLocks()
            // A kill may have come between an unlock and the write to the database.
            showAgain()
            await restoreUnits()
        } catch {
            isTakenUp = false
            backOff("cannot take up endpoint \(name): \(error)", EventFields(endpoint: name))
        }
    }

    /// Starts again what an earlier run of the daemon left down and no job accounts for.
    private func restoreUnits() async {
        // What a job that cannot be read has left down is perhaps to stay down.
        guard stores.jobs.damaged(on: name) == nil, await stores.units.concerns(name),
            await !stores.jobs.hasActive(name)
        else { return }
        do {
            let quiesce = Quiesce(context: context, endpoint: endpoint, table: stores.units)
            let locked = try await wantedDowntime().folders
            if try await !quiesce.start(keeping: locked, job: nil).isEmpty { context.failures.note() }
        } catch {
            context.logger.log(
                .cannotGoOn, "cannot start the tasks of \(name) again: \(error)", EventFields(endpoint: name))
        }
    }

    /// Leaves folders out of the configuration in effect.
    func drop(_ names: [String]) { endpoint.folders.removeAll { names.contains($0.name) } }

    /// Takes folders that could not be left out in again.
    func takeBack(_ before: Endpoint) { endpoint = before }

    // MARK: Upkeep

    /// Keeps locks and databases as they should be, until the endpoint is retired.
    func keep() async {
        await withDiscardingTaskGroup { group in
            while !isRetired, !Task.isCancelled {
                keeperRests = false
                upkeep.clear()
                await restoreLocks()
                for (folder, lock) in takeNotices() {
                    group.addTask { [self] in await show(lock, in: folder) }
                }
                keeperRests = notices.isEmpty && showing.isEmpty
                if keeperRests { stores.watch.wake() }
                await upkeep.sleep(seconds: lockProblems.isEmpty ? nil : RetryBackoff.pause)
            }
        }
        keeperRests = true
    }
}
