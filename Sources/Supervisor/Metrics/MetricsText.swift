import PatchModel

/// What the metrics say at one time, and the text that says it: the format of Prometheus for a textfile collector (contract
/// §14).
struct MetricsText: Sendable {
    /// One folder of an endpoint in effect.
    struct Folder: Sendable {
        var state: FolderState
        var isLocked = false
    }

    /// By state, how many jobs are kept.
    var jobs: [Job.State: Int] = [:]
    /// By endpoint and folder.
    var folders: [String: [String: Folder]] = [:]
    /// By endpoint, when an update or a rollback was last done.
    var successes: [String: Double] = [:]
    /// By `ENDPOINT/FOLDER`, how many seconds applications were kept away when it was last locked and unlocked.
    var downtimes: [String: Double] = [:]
    /// Refused archives since the daemon's start.
    var rejected = 0
    /// The targets of holds that count.
    var held: [String] = []
    /// Whether the configuration on disk is refused, so that an older one is in effect.
    var isRefused = false

    /// The file's text.
    var text: String {
        var text = ""
        func family(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: Double)]) {
            if samples.isEmpty { return }
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
            for sample in samples {
                text += name + (sample.labels.isEmpty ? "" : "{\(sample.labels)}") + " \(Self.number(sample.value))\n"
            }
        }
        let known = folders.sorted { $0.key < $1.key }.flatMap { endpoint, folders in
            folders.sorted { $0.key < $1.key }.map { folder, known in
                (labels: "endpoint=\"\(endpoint)\",folder=\"\(folder)\"", name: "\(endpoint)/\(folder)", known: known)
            }
        }
        family(
            "patchd_jobs", "gauge", "Jobs that are kept, by state.",
            Job.State.allCases.map { ("state=\"\($0.rawValue)\"", Double(jobs[$0] ?? 0)) })
        family(
            "patchd_folder_info", "gauge", "Version and status of a folder; always 1.",
            known.map { folder in
                let state = folder.known.state
                let version = state.version?.description ?? ""
                return ("\(folder.labels),version=\"\(version)\",status=\"\(state.status.rawValue)\"", 1)
            })
        family(
            "patchd_folder_locked", "gauge", "Whether applications are kept out of a folder, or asked to leave it.",
            known.map { ($0.labels, $0.known.isLocked ? 1 : 0) })
        family(
            "patchd_folder_behind", "gauge", "Whether a folder is below its reference folder's version.",
            known.map { ($0.labels, $0.known.state.behind ? 1 : 0) })
        family(
            "patchd_last_success_timestamp_seconds", "gauge",
            "When an update or a rollback of an endpoint was last done.",
            successes.filter { folders[$0.key] != nil }.sorted { $0.key < $1.key }
                .map { ("endpoint=\"\($0.key)\"", $0.value) })
        family(
            "patchd_last_downtime_seconds", "gauge", "How long applications were kept out of a folder the last time.",
            known.compactMap { folder in downtimes[folder.name].map { (folder.labels, $0) } })
        family(
            "patchd_spool_rejected_total", "counter", "Archives that were refused since the daemon started.",
            [("", Double(rejected))])
        family(
            "patchd_held", "gauge", "Holds that count; always 1.", held.sorted().map { ("target=\"\($0)\"", 1) })
        family(
            "patchd_config_refused", "gauge",
            "Whether the configuration on disk is refused, and an older one in effect.",
            [("", isRefused ? 1 : 0)])
        return text
    }

    /// Takes from an earlier text what nothing else remembers: the last downtimes and successes. Lines that are of no use are
    /// passed over, as nothing depends on them.
    mutating func remember(_ earlier: String) {
        for line in earlier.split(separator: "\n") {
            guard let brace = line.firstIndex(of: "{"), let end = line.lastIndex(of: "}"), brace < end,
                let value = Double(line[line.index(after: end)...].drop { $0 == " " }), value.isFinite
            else { continue }
            let names = line[line.index(after: brace)..<end].split(separator: "\"", omittingEmptySubsequences: false)
            switch line[..<brace] {
            case "patchd_last_downtime_seconds" where names.count == 5: downtimes["\(names[1])/\(names[3])"] = value
            case "patchd_last_success_timestamp_seconds" where names.count == 3: successes["\(names[1])"] = value
            default: continue
            }
        }
    }

    /// Milliseconds are all that the clocks are good for.
    private static func number(_ value: Double) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
    }
}
