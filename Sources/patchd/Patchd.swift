import ArgumentParser
import Glibc
import Logging
import PatchConfig
import PatchModel
import Supervisor
import Systemd

/// The daemon's command line.
@main
struct Patchd: AsyncParsableCommand {
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

    private static func path(_ variable: String, else standard: String) -> String {
        getenv(variable).map { String(cString: $0) } ?? standard
    }

    func run() async throws {
        umask(0o022)
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
        let daemon = Daemon(
            directories: Directories(
                configuration: configDir, spool: spoolDir, state: stateDir, runtime: runtimeDir,
                units: "/etc/systemd/system"),
            once: once,
            // Only root may start services for others; anybody else works on folders of its own.
            workers: withSystemd && geteuid() == 0
                ? SystemdWorkers(program: worker, faultPoint: faultPoint) as any Workers
                : ChildWorkers(program: worker, faultPoint: faultPoint),
            units: withSystemd ? SystemdUnits() as any Units : NoUnits(),
            notifications: SystemdNotifications(), logger: logger,
            knownUnits: {
                if ignoresUnits { return .ignored }
                return withSystemd ? .these(try ServiceManager().unitFiles()) : .absent
            })
        let code: Int32 = await withTaskExecutorPreference(BlockingThreads()) { await daemon.run() }
        throw ExitCode(code)
    }

    /// A program that was installed beside this one, else in `/usr/libexec/patchd`.
    private static func besideThis(_ name: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        let path = (own.lastIndex(of: "/").map { String(own[...$0]) } ?? "") + name
        return access(path, X_OK) == 0 ? path : "/usr/libexec/patchd/" + name
    }
}
