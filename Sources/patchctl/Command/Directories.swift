import ArgumentParser
import Glibc
import PatchConfig
import PatchFiles
import PatchModel
import PatchStore
import Systemd

/// Where everything lies; the same options for every command.
struct Directories: ParsableArguments {
    @Option(help: "Configuration directory.")
    var configDir = Directories.fromEnvironment("CONFIGURATION_DIRECTORY") ?? "/etc/patchd"

    @Option(help: "Spool directory.")
    var spoolDir = "/var/spool/patchd"

    @Option(help: "State directory.")
    var stateDir = Directories.fromEnvironment("STATE_DIRECTORY") ?? "/var/lib/patchd"

    @Option(help: "Runtime directory.")
    var runtimeDir = Directories.fromEnvironment("RUNTIME_DIRECTORY") ?? "/run/patchd"

    @Flag(help: "Endpoints may name units although no systemd runs; they are left alone.")
    var withoutSystemd = false

    var state: StateDirectory { StateDirectory(path: stateDir) }

    /// Whether the daemon has ever run here.
    var hasState: Bool { get throws { try hasDirectory("endpoints") } }

    /// Whether something of the state is there; a state directory that is missing holds nothing.
    func hasDirectory(_ name: String) throws -> Bool {
        if access(stateDir, F_OK) != 0, errno == ENOENT { return false }
        return try state.exists(name)
    }

    /// - Parameter againstHost: whether what this host lacks is an error too.
    func configuration(againstHost: Bool = false) throws -> Configuration {
        do throws(ConfigurationErrors) {
            let directory = ConfigurationDirectory(configDir)
            return againstHost ? try directory.check(units: units()) : try directory.load(units: units())
        } catch {
            throw Failure(.refused, error.description)
        }
    }

    /// A systemd that does not answer this user is as one that is not asked: the daemon asks again.
    private func units() -> KnownUnits {
        if withoutSystemd { return .ignored }
        guard ServiceManager.isRunning else { return .absent }
        return (try? ServiceManager().unitFiles()).map(KnownUnits.these) ?? .ignored
    }

    /// One job, or why there is none.
    func job(_ number: Int) throws -> Job {
        try reading {
            guard let job = try state.job(number) else {
                throw Failure(.failed, "there is no job \(number); \"patchctl jobs\" lists them")
            }
            return job
        }
    }

    /// All jobs; none before the daemon's first start.
    func jobs() throws -> [Job] {
        try reading { try readableJobs() }
    }

    /// The same, with the store's own error. Damaged ones are told of on standard error.
    func readableJobs() throws -> [Job] {
        guard try hasDirectory("jobs") else { return [] }
        return try state.jobs { number, error in Notes.write("job \(number) cannot be shown: \(error)") }
    }

    /// Whether a daemon has the state directory: it keeps `lock` locked. True also where that cannot be seen.
    func hasDaemon() -> Bool {
        guard let top = try? Directory.open(stateDir) else { return true }
        guard let status = try? top.status("lock") else { return false }
        // Of any device: on some file systems a lock shows another one than its file does.
        return FileLocks.all().contains { $0.kind == .flock && $0.inode == status.inode }
    }

    /// Reads from the state; who may not is told what to do.
    func reading<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as StoreError {
            throw Failure(
                error.isPermission
                    ? "\(error); jobs, plans and traces are for members of group patchd: \"adduser USER patchd\""
                    : error.description)
        }
    }

    /// systemd separates several directories with colons; the first one counts.
    private static func fromEnvironment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value).split(separator: ":").first.map(String.init)
    }
}

extension Failure {
    init(_ message: String) { self.init(.failed, message) }
}
