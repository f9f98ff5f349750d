import Glibc
import PatchModel
import Testing

/// Updates and endpoints for tests.
enum Sample {
    /// One patch for every folder, with one file in one directory.
    static func update(
        _ name: String = "A", _ version: String = "8.0.2", from dependency: String = "8.0.1",
        sum: Character = "a", critical: Bool = false, optional: Bool = false
    ) throws -> CheckedUpdate {
        var patches = [Patch(name: "core", type: Patch.everyFolder, mandatory: true, path: "core")]
        var entries = [
            ContentEntry(path: "core", kind: .directory), ContentEntry(path: "core/bin", kind: .directory),
            ContentEntry(path: "core/bin/app", kind: .file, size: 1, sha256: String(repeating: sum, count: 64)),
        ]
        if optional {
            patches.append(Patch(name: "extra", type: Patch.everyFolder, mandatory: false, path: "extra"))
            entries += [
                ContentEntry(path: "extra", kind: .directory),
                ContentEntry(path: "extra/more", kind: .file, size: 1, sha256: String(repeating: sum, count: 64)),
            ]
        }
        return CheckedUpdate(
            manifest: Manifest(
                name: name, version: try #require(Version(version)), dependency: try #require(Version(dependency)),
                patches: patches, critical: critical),
            entries: entries)
    }

    /// SEED above A and B, A above A1.
    static let tree: [(name: String, parent: String?)] = [("SEED", nil), ("A", "SEED"), ("A1", "A"), ("B", "SEED")]

    /// An endpoint whose folders have 8.0.1.
    static func endpoint(
        _ name: String = "payroll", below root: String, _ tree: [(name: String, parent: String?)] = tree
    ) -> Endpoint {
        let owner = geteuid() == 0 ? "root" : nil
        var endpoint = Endpoint(
            name: name, path: "\(root)/\(name)",
            folders: tree.map { folder in
                Folder(
                    name: folder.name, parent: folder.parent, version: Version("8.0.1"),
                    path: "\(root)/\(name)/\(folder.name)", owner: owner)
            })
        endpoint.accepts = ["*"]
        endpoint.grace = 0
        return endpoint
    }
}
