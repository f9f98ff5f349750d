import Glibc
import PatchFiles
import PatchModel
import PatchStore

/// What has to be done before patchd's programs are removed: units that it keeps down could never be started again.
public struct Removal: Sendable {
    /// How far to go.
    public enum Step: String, Sendable, CaseIterable {
        /// Only look.
        case check
        /// Look, then free the units. For when the daemon is stopped, which would take them back.
        case free
    }

    /// patchd is still needed.
    public struct Refused: Error, Sendable {
        /// Why, a line each.
        public var reasons: [String]
    }

    private let state: StateDirectory
    private let directory: String
    private let manager: any Units
    private let isForced: Bool

    /// - Parameters:
    ///   - state: the state directory.
    ///   - units: where the drop-ins are: `/etc/systemd/system`.
    ///   - isForced: whether unfinished jobs and locked folders are given up.
    public init(state: String, units: String, manager: any Units, isForced: Bool) {
        self.state = StateDirectory(path: state)
        directory = units
        self.manager = manager
        self.isForced = isForced
    }

    /// - Returns: what an admin has to know, a line each.
    /// - Throws: ``Refused``.
    public func run(_ step: Step) throws -> [String] {
        guard try Self.exists(state.path) else { return [] }
        let reasons = try obstacles()
        if !reasons.isEmpty, !isForced { throw Refused(reasons: reasons) }
        if step == .check { return [] }
        let running = try stopWorkers()
        // The record stays: a patchd that is installed again knows which units ran.
        let down = try state.units().units.filter(\.value.ranBefore).keys.sorted()
        if try !state.keptDown().isEmpty { try state.keepDown([]) }
        try UnitDropIns(directory: directory, state: state, units: manager).set(GuardedUnits())
        return reasons.map { "given up: \($0)" } + running
            + down.map { "\($0) was stopped for an update and can be started now: systemctl start \($0)" }
    }

    /// Ends what is still at work when jobs are given up: it would write to what is removed. A worker records where it is.
    ///
    /// - Returns: what does not end, a line each.
    private func stopWorkers() throws -> [String] {
        guard isForced, manager.areManaged else { return [] }
        let globs = ["patchd-job-*.service", "patchd-command-*.service", "patchd-unpack@*.service"]
        let names = try globs.flatMap(manager.names(matching:))
        if names.isEmpty { return [] }
        // A script gets 90 s.
        let stop = try manager.stop(names, seconds: 120)
        return stop.problems.sorted { $0.key < $1.key }.map { "\($0.key) was not stopped: \($0.value)" }
            + stop.unfinished.map { "\($0) is still stopping" }
    }

    /// Unfinished jobs and locked folders.
    private func obstacles() throws -> [String] {
        var reasons: [String] = []
        if try state.exists("jobs") {
            let jobs = try state.jobs { number, error in reasons.append("job \(number) cannot be read: \(error)") }
            for job in jobs where !job.state.isFinal || job.state == .failed && job.isHolding {
                reasons.append(
                    "job \(job.job) (\(job.update) \(job.version) on \(job.endpoint)) is \(job.state.rawValue); see: patchctl show \(job.job)"
                )
            }
        }
        for endpoint in try state.endpoints().sorted() {
            for (name, folder) in try state.folders(of: endpoint).sorted(by: { $0.key < $1.key })
            where try Self.isLocked(folder.path) {
                reasons.append("\(endpoint)/\(name) is locked: \(folder.path)/\(UpdateLock.fileName)")
            }
        }
        return reasons
    }

    /// A folder that is gone is not locked.
    private static func isLocked(_ path: String) throws(FileError) -> Bool {
        guard try exists(path) else { return false }
        return try Directory.openWithoutLinks(path).status(UpdateLock.fileName) != nil
    }

    private static func exists(_ path: String) throws(FileError) -> Bool {
        if access(path, F_OK) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw FileError("find", path) }
        return false
    }
}
