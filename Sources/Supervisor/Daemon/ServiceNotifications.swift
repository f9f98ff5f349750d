import PatchModel
import PatchPlan
import Synchronization

/// What a service tells the service manager about itself (sd_notify(3)). No call blocks, even when nobody listens.
public protocol ServiceNotifications: Sendable {
    /// Start-up, or a reload, is through.
    func ready()
    /// The configuration is being read again.
    func reloading()
    /// One line for `systemctl status`.
    func status(_ line: String)
    /// The scheduler lives.
    func alive()
    /// Seconds within which ``alive()`` is expected; nil: never.
    var watchdog: Double? { get }
}

/// For where nobody listens.
public struct NoNotifications: ServiceNotifications {
    /// Nothing to set up.
    public init() {}
    /// Does nothing.
    public func ready() {}
    /// Does nothing.
    public func reloading() {}
    /// Does nothing.
    public func status(_ line: String) {}
    /// Does nothing.
    public func alive() {}
    /// Nil.
    public var watchdog: Double? { nil }
}

/// Keeps the line of `systemctl status` true: each part of the daemon shows what it knows.
final class ServiceStatus: Sendable {
    private struct Known {
        var jobs: [Job] = []
        var unitsDown: [String] = []
        var isRefused = false
        var line = ""
    }

    private let notifications: any ServiceNotifications
    private let known = Mutex(Known())

    /// Nothing is shown yet.
    init(_ notifications: any ServiceNotifications) { self.notifications = notifications }

    func show(jobs: [Job]) { change { $0.jobs = jobs } }

    /// Units that did not come up after a job.
    func show(unitsDown: [String]) { change { $0.unitsDown = unitsDown } }

    /// Whether the configuration on disk is refused.
    func show(isRefused: Bool) { change { $0.isRefused = isRefused } }

    private func change(_ body: (inout Known) -> Void) {
        known.withLock { known in
            body(&known)
            let line = StatusLine(jobs: known.jobs, unitsDown: known.unitsDown, isRefused: known.isRefused).text
            if line == known.line { return }
            known.line = line
            notifications.status(line)
        }
    }
}
