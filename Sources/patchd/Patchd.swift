import ArgumentParser
import Glibc
import Logging
import PatchConfig
import PatchModel
import Supervisor
import Systemd

/// The daemon's command line.
@main
struct Patchd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patchd", abstract: "Applies update archives to trees of application folders.",
        version: ProgramVersion.text)

    @Option(help: "Where patchd.yaml and endpoints.d/ lie.")
    var configDir = Self.path("CONFIGURATION_DIRECTORY", else: "/etc/patchd")

    @Option(help: "Where archives are dropped.")
    var spoolDir = "/var/spool/patchd"

    @Option(help: "What patchd remembers.")
    var stateDir = Self.path("STATE_DIRECTORY", else: "/var/lib/patchd")

    @Option(help: "What need not outlive a reboot.")
    var runtimeDir = Self.path("RUNTIME_DIRECTORY", else: "/run/patchd")

    @Flag(help: "Leave units alone and run workers as child processes.")
    var withoutSystemd = false

    @Flag(help: "Do what can be done now, then exit.")
    var once = false

    @Option(
        help: ArgumentHelp(
            "Have the daemon PID read its configuration again, and say what it answers.", valueName: "pid"))
    var reload: Int32?

    @Option(
        help: ArgumentHelp(
            "Say what keeps patchd from being removed (check); free the units that it keeps down, too (free).",
            valueName: "check|free"))
    var removal: Removal.Step?

    /// Catches SIGHUP for the daemon while the process has one thread: threads inherit what is blocked.
    static func main() {
        Signals.unblock()
        do {
            var command = try parseAsRoot()
            guard let daemon = command as? Patchd else { return try command.run() }
            let isOneRun = daemon.once || daemon.reload != nil || daemon.removal != nil
            try daemon.run(isOneRun ? nil : ReloadSignal())
        } catch {
            exit(withError: error)
        }
    }

    private static func path(_ variable: String, else standard: String) -> String {
        getenv(variable).map { String(cString: $0) } ?? standard
    }

    private func run(_ reloadSignal: ReloadSignal?) throws {
        umask(0o022)
        if let reload { return try ask(reload) }
        if let removal { return try remove(removal) }
        let withSystemd = !withoutSystemd && ServiceManager.isRunning
        let logger = Logger(label: "patchd") { _ in
            if JournalLog.isConnected { return JournalLog() }
            // By hand: who called it reads along, and the journal has the folders' stories all the same.
            if withSystemd, JournalLog.isThere { return MultiplexLogHandler([JournalLog(), StandardErrorLog()]) }
            return StandardErrorLog()
        }
        let ignoresUnits = withoutSystemd
        let worker = Self.besideThis("patchd-worker")
        let faultPoint = getenv("PATCHD_FAULT_POINT").map { String(cString: $0) }
        let credentials = runtimeDir + "/credentials"
        let daemon = Daemon(
            directories: Directories(
                configuration: configDir, spool: spoolDir, state: stateDir, runtime: runtimeDir,
                units: "/etc/systemd/system"),
            once: once,
            // Only root may start services for others; anybody else works on folders of its own.
            workers: withSystemd && geteuid() == 0
                ? SystemdWorkers(program: worker, faultPoint: faultPoint, credentials: credentials) as any Workers
                : ChildWorkers(program: worker, faultPoint: faultPoint, credentials: credentials),
            units: withSystemd ? SystemdUnits() as any Units : NoUnits(),
            notifications: SystemdNotifications(),
            // A single run is over before anybody could look.
            bus: once ? nil : SystemdBus(), logger: logger, reloadSignal: reloadSignal,
            // A unit that is not there is a fault of the jobs that need it, and keeps no other endpoint from its updates.
            knownUnits: { ignoresUnits || withSystemd ? .ignored : .absent })
        throw ExitCode(BlockingThreads().run { await daemon.run() })
    }

    /// `ExecReload=`: systemd's own time limit is longer.
    private func ask(_ pid: Int32) throws {
        switch ReloadRequest(state: stateDir, pid: pid).answer(within: 300) {
        case .accepted: return
        case .refused(let problems):
            for problem in problems { Self.complain("configuration refused: \(problem)") }
            throw ExitCode(4)
        case .none(let why):
            Self.complain(why)
            throw ExitCode(69)
        }
    }

    private func remove(_ step: Removal.Step) throws {
        let removal = Removal(
            state: stateDir, units: "/etc/systemd/system",
            manager: ServiceManager.isRunning ? SystemdUnits() as any Units : NoUnits(),
            isForced: getenv("PATCHD_FORCE_REMOVE").map { String(cString: $0) } == "1")
        do {
            for line in try removal.run(step) { print(line) }
        } catch let refusal as Removal.Refused {
            for line in refusal.reasons { Self.complain(line) }
            Self.complain("finish that first, or give up the updates with PATCHD_FORCE_REMOVE=1")
            throw ExitCode(5)
        }
    }

    private static func complain(_ line: String) { _ = (line + "\n").withCString { write(2, $0, strlen($0)) } }

    /// A program that was installed beside this one, else in `/usr/libexec/patchd`.
    private static func besideThis(_ name: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        let path = (own.lastIndex(of: "/").map { String(own[...$0]) } ?? "") + name
        return access(path, X_OK) == 0 ? path : "/usr/libexec/patchd/" + name
    }
}

extension Removal.Step: ExpressibleByArgument {}
