import ArgumentParser
import Glibc
import Logging
import Supervisor

/// The daemon's command line.
@main
struct Patchd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patchd", abstract: "Applies update archives to trees of application folders.")

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
        let log = Logger(label: "patchd") { _ in StandardErrorLog() }
        umask(0o022)
        let places = Places(
            configuration: configDir, spool: spoolDir, state: stateDir, runtime: runtimeDir,
            worker: Self.besideThis("patchd-worker"))
        let daemon = Daemon(places: places, withoutSystemd: withoutSystemd, once: once, log: log)
        let code: Int32 = await withTaskExecutorPreference(BlockingThreads()) {
            do {
                return try await daemon.run()
            } catch {
                log.critical("cannot go on", metadata: ["reason": "\(error)"])
                return 1
            }
        }
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
