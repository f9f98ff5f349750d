import Supervisor
import Systemd

/// What systemd is told about this service.
struct SystemdNotifications: ServiceNotifications {
    private let service = ServiceNotification()

    func ready() { service.ready() }

    func reloading() { service.reloading() }

    func status(_ line: String) { service.status(line) }

    func alive() { service.watchdog() }

    var watchdog: Double? { service.watchdogInterval.map { Double($0.components.seconds) } }
}
