import FoundationEssentials
import Logging
import PatchFiles
import PatchModel
import PatchStore
import Synchronization

/// Keeps `STATE/metrics/patchd.prom` true (contract §14): each part of the daemon shows what it knows, and the file is
/// replaced when something has changed. No job waits for it.
final class Metrics: Sendable {
    private struct Known {
        var text = MetricsText()
        /// By `ENDPOINT/FOLDER`, since when applications are kept away.
        var closed: [String: Timestamp] = [:]
    }

    private let known = Mutex(Known())
    private let changed = WakeSignal()
    private let retired = WakeSignal()

    /// Seconds between two writes at least: a job over a thousand folders changes thousands of things.
    private static let pause = 0.5
    private static let name = "patchd.prom"

    /// The jobs that are kept, after each change of one of them.
    func show(jobs: [Job]) {
        change { known in
            known.text.jobs = jobs.reduce(into: [:]) { $0[$1.state, default: 0] += 1 }
            for job in jobs where job.state == .done && job.operation != .test {
                guard let finished = job.finishedAt?.date.timeIntervalSince1970 else { continue }
                known.text.successes[job.endpoint] = max(known.text.successes[job.endpoint] ?? 0, finished)
            }
        }
    }

    /// The endpoints in effect; the others are shown no more.
    func show(endpoints: [String]) {
        change { known in known.text.folders = known.text.folders.filter { endpoints.contains($0.key) } }
    }

    /// All folders of an endpoint in effect.
    func show(_ states: [String: FolderState], of endpoint: String, _ folders: [String]) {
        change { known in
            let before = known.text.folders[endpoint] ?? [:]
            known.text.folders[endpoint] = folders.reduce(into: [:]) { shown, folder in
                guard let state = states[folder] else { return }
                shown[folder] = MetricsText.Folder(state: state, isLocked: before[folder]?.isLocked ?? false)
            }
        }
    }

    /// What became of one folder; of one that is not shown this changes nothing.
    func show(_ state: FolderState) {
        change { $0.text.folders[state.endpoint]?[state.folder]?.state = state }
    }

    /// The lock that a folder has now; nil for none.
    ///
    /// - Parameter isNew: whether it was not locked before as far as this process knows: where an earlier one locked it, the
    ///   lock says since when.
    func show(
        _ lock: UpdateLock?, isNew: Bool = false, in folder: String, of endpoint: String, at now: Timestamp
    ) {
        let place = "\(endpoint)/\(folder)"
        change { known in
            known.text.folders[endpoint]?[folder]?.isLocked = lock != nil
            guard let lock else {
                if let since = known.closed.removeValue(forKey: place) {
                    known.text.downtimes[place] = max(0, now.seconds(since: since))
                }
                return
            }
            if lock.code == 9999, known.closed[place] == nil {
                known.closed[place] = isNew ? min(lock.since, now) : now
            }
        }
    }

    /// The targets of all holds that count.
    func show(held: [String]) { change { $0.text.held = held } }

    /// Whether the configuration on disk is refused.
    func show(isRefused: Bool) { change { $0.text.isRefused = isRefused } }

    /// An archive was refused.
    func noteRejected() { change { $0.text.rejected += 1 } }

    /// What the file says once it is written.
    var text: String { known.withLock { $0.text }.text }

    private func change(_ body: (inout Known) -> Void) {
        known.withLock { body(&$0) }
        changed.raise()
    }

    /// The file ends with what is known when this was called.
    func retire() {
        retired.raise()
        changed.raise()
    }

    /// Writes the file when something has changed, until ``retire()``. A text that is the same is not written again, and what
    /// cannot be written is logged once and tried again with the next change.
    func keep(_ state: StateDirectory, _ logger: Logger) async {
        if let earlier = try? state.metrics(Self.name) { known.withLock { $0.text.remember(earlier) } }
        var written = ""
        var problem = ""
        while true {
            let isLast = retired.isRaised
            changed.clear()
            let text = self.text
            if text != written {
                do throws(StoreError) {
                    try state.write(metrics: text, Self.name)
                    (written, problem) = (text, "")
                } catch {
                    let message = "cannot write the metrics: \(error)"
                    if message != problem { logger.log(.cannotGoOn, message) }
                    problem = message
                }
            }
            if isLast { return }
            await retired.sleep(seconds: Self.pause)
            if !retired.isRaised { await changed.sleep(seconds: nil) }
        }
    }
}
