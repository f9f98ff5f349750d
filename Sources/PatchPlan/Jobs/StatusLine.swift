public import PatchModel

/// The line that `systemctl status patchd` shows: what needs a person first, then what is under way.
public struct StatusLine: Sendable {
    /// Bytes that it has at most; systemd drops a message that is much longer.
    public static let limit = 256
    /// So many numbers or names are listed.
    private static let listed = 5

    private let jobs: [Job]
    private let unitsDown: [String]
    private let isRefused: Bool

    /// The line for one moment.
    ///
    /// - Parameters:
    ///   - jobs: all that are kept.
    ///   - unitsDown: units that did not come up after a job.
    ///   - isRefused: whether the configuration on disk is refused, so that an older one is in effect.
    public init(jobs: [Job], unitsDown: [String] = [], isRefused: Bool = false) {
        self.jobs = jobs
        self.unitsDown = unitsDown
        self.isRefused = isRefused
    }

    /// At most ``limit`` bytes, without line breaks.
    public var text: String {
        let running = jobs.filter { $0.state == .running }.sorted { $0.job < $1.job }
        let parts: [String?] =
            [
                isRefused ? "configuration refused" : nil,
                counted(failed.map(\.job), "job failed", "jobs failed"),
                locked == 0 ? nil : locked == 1 ? "1 folder locked" : "\(locked) folders locked",
                unitsDown.isEmpty
                    ? nil
                    : "\(unitsDown.count == 1 ? "1 unit" : "\(unitsDown.count) units") down (\(list(unitsDown.sorted())))",
                counted(numbers(where: \.needsApprover), "job waits for approval", "jobs wait for approval"),
            ] + running.prefix(Self.listed).map(progress) + [
                running.count > Self.listed ? "\(running.count - Self.listed) more jobs running" : nil,
                counted(numbers { $0.state == .waiting && !$0.needsApprover }, "job waiting", "jobs waiting"),
                counted(numbers { $0.state == .queued }, "job queued", "jobs queued"),
            ]
        let text = parts.compactMap { $0 }.joined(separator: ", ")
        return text.isEmpty ? "idle" : Self.cut(text)
    }

    /// Those that hold folders, and of each endpoint the last failed one until a later success.
    private var failed: [Job] {
        Dictionary(grouping: jobs, by: \.endpoint).values.flatMap { own -> [Job] in
            let failed = own.filter { $0.state == .failed }
            let success = own.filter { $0.state == .done }.compactMap(\.finishedAt).max()
            let last = failed.max { $0.job < $1.job }
            return failed.filter { job in
                if job.isHolding { return true }
                guard job.job == last?.job else { return false }
                guard let success, let end = job.finishedAt else { return true }
                return success <= end
            }
        }.sorted { $0.job < $1.job }
    }

    /// The folders that stay locked until an admin acts.
    private var locked: Int {
        let folders = failed.filter(\.isHolding).flatMap { job in
            job.folders.filter { [.failed, .blocked].contains($0.value.state) }.map { "\(job.endpoint)/\($0.key)" }
        }
        return Set(folders).count
    }

    private func progress(_ job: Job) -> String {
        let folders = job.folders.values.filter { $0.state != .excluded && $0.state != .upToDate }
        let done = folders.count { $0.state == .done }
        let count = folders.isEmpty ? "" : " \(done)/\(folders.count)"
        return "job \(job.job) on \(job.endpoint): \(job.update) \(job.version) running\(count)"
    }

    private func numbers(where isOne: (Job) -> Bool) -> [Int] { jobs.filter(isOne).map(\.job).sorted() }

    private func counted(_ numbers: [Int], _ one: String, _ more: String) -> String? {
        if numbers.isEmpty { return nil }
        return "\(numbers.count) \(numbers.count == 1 ? one : more) (\(list(numbers.map(String.init))))"
    }

    private func list(_ names: [String]) -> String {
        let rest = names.count - Self.listed
        return names.prefix(Self.listed).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    private static func cut(_ text: String) -> String {
        if text.utf8.count <= limit { return text }
        let mark = "…"
        var cut = ""
        for character in text {
            guard cut.utf8.count + character.utf8.count + mark.utf8.count <= limit else { break }
            cut.append(character)
        }
        return cut + mark
    }
}
