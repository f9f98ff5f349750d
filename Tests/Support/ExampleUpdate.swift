import Foundation

/// The contract's example update, with any change a test wants.
public struct ExampleUpdate {
    /// The manifest's `name`.
    public var name = "X3V8_P2"
    /// The manifest's `version`.
    public var version = "8.0.2"
    /// The manifest's `dependency`.
    public var dependency = "8.0.1"
    /// Allows no lead time.
    public var isCritical = false
    /// The first patch's `keep`.
    public var keep: [String] = []
    /// The first patch's `delete`.
    public var delete: [String] = []
    /// The first patch's `target`.
    public var target = ""
    /// The first patch's `outOfOrder`.
    public var isOutOfOrder = false
    /// Content below the two patches' paths.
    public var files: [String: String] = [
        "X3V8_P2/FILPATCH/lib/a.dat": "new a\n", "X3V8_P2/FILPATCH/lib/deep/b.dat": "new b\n",
        "X3V8_P2/FILPATCH/top.dat": "top\n", "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n",
        "X3V8_P2/FILPATCH/upgrades/8.0.2.sh": "echo \"$PATCHD_FOLDER from $PATCHD_FROM to $PATCHD_TO\"\n",
    ]

    /// The example as the contract has it.
    public init() {}

    /// The example, for another pair of versions.
    public init(version: String, dependency: String) {
        self.version = version
        self.dependency = dependency
    }

    /// Its `update.json`.
    public var manifest: String {
        """
        {"name": "\(name)", "version": "\(version)", "dependency": "\(dependency)",\(isCritical ? " \"critical\": true," : "")
         "description": "Update that brings Sage X3 People From version 8.0.1 to 8.0.2",
         "patches": [
          {"name": "X3V8_P2", "type": "$ROOT", "mandatory": true, "path": "X3V8_P2/FILPATCH",\(keep.isEmpty ? "" : " \"keep\": \(keep),")\(delete.isEmpty ? "" : " \"delete\": \(delete),")\(target.isEmpty ? "" : " \"target\": \"\(target)\",")\(isOutOfOrder ? " \"outOfOrder\": true," : "") "description": "8.0.2 mandatory maintenances"},
          {"name": "X3V8_P2BIS", "type": "HRM", "mandatory": false, "path": "X3V8_P2BIS/FILPATCH", "description": "8.0.2 optional maintenances"}]}
        """
    }

    /// Packs it with `zip` and puts it at a path, complete from the start.
    public func pack(to path: String) throws {
        let place = "/tmp/patchd-update-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: place) }
        for (file, text) in files.merging(["update.json": manifest], uniquingKeysWith: { $1 }) {
            let url = URL(fileURLWithPath: "\(place)/content/\(file)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        let zip = Process()
        zip.executableURL = URL(fileURLWithPath: "/usr/bin/zip")
        zip.arguments = ["-qr", "\(place)/update.zip", "."]
        zip.currentDirectoryURL = URL(fileURLWithPath: "\(place)/content")
        try zip.run()
        zip.waitUntilExit()
        try FileManager.default.moveItem(atPath: "\(place)/update.zip", toPath: path)
    }
}
