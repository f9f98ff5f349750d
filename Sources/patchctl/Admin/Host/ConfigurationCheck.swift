import Glibc
import PatchConfig
import PatchFiles
import PatchModel
import PatchStore
import Systemd

/// Reads what `config check` holds the configuration against, besides what its reader looks at.
struct ConfigurationCheck {
    let directories: Directories
    let configuration: Configuration

    /// Option files in the spool that are looked at; anybody in the group may put more there.
    private static let most = 1000

    var warnings: [String] {
        ConfigurationWarnings(
            configuration: configuration, droppers: UserName.members(of: "patchd"),
            approvers: UserName.members(of: configuration.daemon.approvers), units: units, choices: drops + jobs
        ).texts
    }

    /// Folders that the preflight of every update would find in wrong hands. Only who would update them can say.
    var ownerProblems: [String] {
        configuration.endpoints.flatMap { endpoint -> [String] in
            let states = (try? directories.state.folders(of: endpoint.name)) ?? [:]
            return endpoint.activeFolders.compactMap { folder -> String? in
                do throws(Fault) {
                    _ = try OwnerRule.check(folder: folder, recorded: states[folder.name]?.owner)
                    return nil
                } catch {
                    return error.code == .ownership ? "\(endpoint.name)/\(folder.name): \(error.message)" : nil
                }
            }
        }
    }

    /// Whether this user is the one that updates folders.
    var isUpdater: Bool {
        geteuid() == 0 || (try? Directory.open(directories.stateDir).status().uid) == geteuid()
    }

    private var units: Set<String>? {
        guard !directories.withoutSystemd, ServiceManager.isRunning else { return nil }
        return try? ServiceManager().unitFiles()
    }

    private var jobs: [ConfigurationWarnings.Choice] {
        ((try? directories.liveJobs()) ?? []).filter { !$0.state.isFinal }.map { job in
            .init(source: "job \(job.job)", endpoints: [job.endpoint], options: job.options)
        }
    }

    private var drops: [ConfigurationWarnings.Choice] {
        guard let incoming = try? Directory.open(directories.spoolDir + "/incoming"), let names = try? incoming.names()
        else { return [] }
        return names.filter { $0.hasSuffix(".zip.json") }.sorted().prefix(Self.most).compactMap { name in
            guard let bytes = try? incoming.readFile(name, limit: 1 << 20),
                let options = try? UpdateOptions(strictJSON: bytes)
            else { return nil }
            return .init(source: "\(directories.spoolDir)/incoming/\(name)", endpoints: nil, options: options)
        }
    }
}
