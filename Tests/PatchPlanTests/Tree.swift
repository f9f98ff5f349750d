import Testing

@testable import PatchModel

/// The tree of the contract: PAIE → SEED, SEED2, SEEDPROD → SEEDPROD2, and OLD, which is inactive.
enum Tree {
    static func version(_ text: String) throws -> Version { try #require(Version(text)) }

    static func endpoint(_ versions: [String: String] = [:], version: String? = "8.0.1") throws -> Endpoint {
        func folder(_ name: String, _ parent: String?, _ role: Folder.Role = .standard, active: Bool = true) -> Folder {
            Folder(
                name: name, parent: parent, role: role, version: (versions[name] ?? version).flatMap { Version($0) },
                modules: ["HRM"], path: "/srv/payroll/\(name)", active: active)
        }
        return Endpoint(
            name: "payroll", path: "/srv/payroll",
            folders: [
                // A child before its parent: the order of the file is not the order of the tree.
                folder("SEEDPROD2", "SEEDPROD"), folder("PAIE", nil, .supervisor), folder("SEED", "PAIE"),
                folder("SEED2", "PAIE", .test), folder("SEEDPROD", "PAIE"), folder("OLD", "PAIE", active: false),
                folder("OLDER", "OLD"),
            ])
    }

    static func manifest(_ patches: [Patch]? = nil, version: String = "8.0.2", dependency: String = "8.0.1") throws
        -> Manifest
    {
        Manifest(
            name: "X3V8_P2", version: try self.version(version), dependency: try self.version(dependency),
            patches: patches ?? [
                Patch(name: "MAIN", type: "$ROOT", mandatory: true, path: "M"),
                Patch(name: "BIS", type: "HRM", mandatory: false, path: "B/FIL"),
            ])
    }

    static let files = [
        "M/conf/app.ini", "M/conf-x", "M/upgrades/8.0.1.sh", "M/upgrades/8.0.2.sh", "M/upgrades/8.0.2~a.sh",
        "M/upgrades/README",
        "M/downgrades/8.0.2.sh", "B/FIL/conf/bis.ini", "B/FIL/upgrades/8.0.2_bis.sh",
    ]

    static func update(_ files: [String] = files, _ manifest: Manifest? = nil) throws -> CheckedUpdate {
        let entries = files.map {
            ContentEntry(path: $0, kind: .file, size: UInt64($0.utf8.count), mode: 0o755, sha256: "of \($0)")
        }
        return CheckedUpdate(
            manifest: try manifest ?? self.manifest(),
            entries: entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) })
    }

    static func state(
        _ folder: String, _ version: String, update: String = "", patches: [String: Bool] = [:], previous: String? = nil
    ) throws -> FolderState {
        var state = FolderState(
            endpoint: "payroll", folder: folder, version: try self.version(version), path: "/srv/payroll/\(folder)",
            owner: "app",
            at: .now)
        state.update = update
        state.patches = patches
        state.previousVersion = previous.flatMap { Version($0) }
        return state
    }
}

extension EndpointPlan {
    /// The folders in a state, in the plan's order.
    func names(_ state: FolderJob.State) -> [String] { folders.filter { $0.state == state }.map(\.folder) }

    func folder(_ name: String) throws -> FolderPlan { try #require(folders.first { $0.folder == name }) }
}

extension FolderPlan {
    /// `kind path (patch)`, a line a step.
    var lines: [String] { steps.map { "\($0.kind) \($0.path) (\($0.patch))" } }
}
