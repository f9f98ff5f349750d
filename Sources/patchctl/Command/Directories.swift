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

    /// The configuration as the daemon would read it now.
    ///
    /// - Parameter againstHost: whether what this host lacks is an error too.
    /// - Throws: ``Failure``, status `refused`.
    func configuration(againstHost: Bool = false) throws(Failure) -> Configuration {
        do throws(ConfigurationErrors) {
            let directory = ConfigurationDirectory(configDir)
            return againstHost ? try directory.check(units: units()) : try directory.load(units: units())
        } catch {
            throw Failure(.refused, error.description)
        }
    }

    /// The limits of this host where its configuration can be read, else the defaults.
    var limits: Limits { (try? configuration())?.daemon.limits ?? Limits() }

    /// Whether this user may read the whole configuration. It may hold passwords, so not everybody does.
    var canReadConfiguration: Bool {
        // EACCES only: a file that is gone is for the configuration's own reader to judge.
        func mayRead(_ path: String, _ mode: Int32) -> Bool { access(path, mode) == 0 || errno != EACCES }
        let endpoints = configDir + "/endpoints.d"
        guard mayRead(configDir, R_OK | X_OK), mayRead(configDir + "/patchd.yaml", R_OK),
            mayRead(endpoints, R_OK | X_OK)
        else { return false }
        let names = (try? Directory.open(endpoints).names()) ?? []
        return names.allSatisfy { mayRead("\(endpoints)/\($0)", R_OK) }
    }

    /// A systemd that does not answer this user counts as one that is not asked: the daemon asks again.
    private func units() -> KnownUnits {
        if withoutSystemd { return .ignored }
        guard ServiceManager.isRunning else { return .absent }
        return (try? ServiceManager().unitFiles()).map(KnownUnits.these) ?? .ignored
    }

    /// systemd separates several directories with colons; the first one counts.
    private static func fromEnvironment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value).split(separator: ":").first.map(String.init)
    }
}
