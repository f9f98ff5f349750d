import Logging
import PatchModel
import PatchStore

/// What an endpoint's databases are to show. A worker does that as the folder's owner, who may stop it for as long as he
/// likes: nobody waits for it for long.
extension EndpointSupervisor {
    /// Seconds that a job waits for its locks to be shown, so that applications that look there get their `grace`.
    private static let patience = 10.0

    /// Has a folder's database show a lock, or that it is unlocked.
    func showLater(_ lock: UpdateLock?, in folder: String) {
        guard hasDatabase(folder) else { return }
        notices[folder] = .some(lock)
        upkeep.raise()
    }

    /// Has the databases show versions that changed, each beside its folder's lock; where that is not known yet, later.
    func showVersions() {
        for folder in staleVersions {
            guard let lock = locks[folder], !lock.isUnsettled else { continue }
            staleVersions.remove(folder)
            if notices[folder] == nil { showLater(lock.current, in: folder) }
        }
    }

    /// Once a minute: the unlock is written again to a database that could not be reached.
    func showAgain() {
        let shown = (try? context.state.shown(name)) ?? []
        for folder in shown
        where locks[folder]?.isUnlocked == true && notices[folder] == nil && !showing.contains(folder) {
            showLater(nil, in: folder)
        }
        upkeep.raise()
    }

    /// What is to be shown and is not being shown yet; one at a time for each folder.
    func takeNotices() -> [(folder: String, lock: UpdateLock?)] {
        let due = notices.filter { !showing.contains($0.key) }
        for folder in due.keys { notices[folder] = nil }
        showing.formUnion(due.keys)
        return due.map { ($0.key, $0.value) }
    }

    /// Shows one lock, with a worker. Somebody in the middle of writing is not disturbed for it: that is logged, and no error.
    nonisolated func show(_ lock: UpdateLock?, in folder: String) async {
        let work = await databaseWork()
        do {
            try await work.show(lock, folder)
            await note(nil, lock, in: folder)
        } catch {
            await note("\(error)", lock, in: folder)
        }
        await shown(folder)
    }

    private func note(_ problem: String?, _ lock: UpdateLock?, in folder: String) {
        let known = showProblems[folder]
        showProblems[folder] = problem
        guard let problem, problem != known else { return }
        let what = lock == nil ? "unlocked" : "locked"
        context.logger.log(
            .databaseNotShown,
            "cannot show in the database of \(name)/\(folder) that it is \(what), and its version: \(problem)",
            EventFields(job: lock?.job, endpoint: name, folder: folder, update: lock?.update ?? ""))
    }

    private func databaseWork() -> DatabaseWork { DatabaseWork(context: context, endpoint: endpoint) }

    private func shown(_ folder: String) {
        showing.remove(folder)
        upkeep.raise()
        if notices.isEmpty, showing.isEmpty {
            for signal in shownSignals { signal.raise() }
            shownSignals = []
        }
    }

    /// Waits until everything is shown, but not for long.
    func waitUntilShown() async {
        if notices.isEmpty, showing.isEmpty { return }
        upkeep.raise()
        let signal = WakeSignal()
        shownSignals.append(signal)
        await signal.sleep(seconds: Self.patience)
    }

    private func hasDatabase(_ folder: String) -> Bool {
        endpoint.databaseOrder(of: folder)?.isKnown ?? false
    }
}
