import Foundation
import Support

/// An update of the model: tiny, and known by three numbers.
struct TestUpdate: Hashable, CustomStringConvertible {
    /// How its script can be undone.
    enum Script: String, Hashable, CaseIterable {
        case none, withDowngrade, oneWay
    }

    /// A file as it is in a folder.
    struct File: Hashable {
        var text: String
        var mode: Int
    }

    /// What folders have afterwards; the one before is the dependency.
    var version: Int
    /// Another variant is another content: a corrected archive.
    var variant: Int
    var script: Script

    var description: String { "\(version).0 variant \(variant) (\(script.rawValue))" }

    /// The directory that it brings.
    static let directory = "d"

    /// The script's name in `upgrades/`.
    var scriptName: String { "\(version).0.sh" }

    /// What it brings, by place.
    var files: [String: File] {
        var files = [
            "a.dat": File(text: "a \(version) \(variant)\n", mode: 0o644),
            "d/b.dat": File(text: "b \(version)\n", mode: 0o600),
            "v\(version).dat": File(text: "only here \(variant)\n", mode: 0o755),
            "same.dat": File(text: "same\n", mode: 0o644),
        ]
        if version.isMultiple(of: 2) { files["even.dat"] = File(text: "even \(version)\n", mode: 0o640) }
        return files
    }

    /// The name of the file in `fail/` that makes the script fail in a folder.
    func cause(in folder: String) -> String { "\(version)-\(variant)-\(folder)" }

    /// The archive; packed once for all sequences.
    func archive(in cache: String) throws -> String {
        let name = "\(cache)/\(version)-\(variant)-\(script.rawValue).zip"
        if FileManager.default.fileExists(atPath: name) { return name }
        let place = "\(cache)/\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: place) }
        var all = files.map { ("P/" + $0.key, $0.value) }
        all.append(("update.json", File(text: manifest, mode: 0o644)))
        if script != .none {
            let up = """
                echo up \(version) >> log
                test -e ../../fail/\(version)-\(variant)-$PATCHD_FOLDER || exit 0
                test ! -e ../../fail/full || cat /dev/zero >../../state/fill
                exit 1

                """
            all.append(("P/upgrades/\(scriptName)", File(text: up, mode: 0o644)))
        }
        if script == .withDowngrade {
            all.append(("P/downgrades/\(scriptName)", File(text: "echo down \(version) >> log\n", mode: 0o644)))
        }
        // Behind the other patch, for the folder that has a database.
        let statements = [
            "upgrades": "INSERT INTO row VALUES (\(version));\n",
            "downgrades": "DELETE FROM row WHERE version = \(version);\n",
        ]
        for (directory, statement) in statements {
            all.append(("S/\(directory)/\(version).0.sql", File(text: statement, mode: 0o644)))
        }
        for (path, file) in all {
            let full = "\(place)/\(path)"
            try FileManager.default.createDirectory(
                atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(file.text.utf8).write(to: URL(fileURLWithPath: full))
            chmod(full, mode_t(file.mode))
        }
        try Command.tool("/bin/sh", "-c", "cd '\(place)' && exec zip -qrX '\(place).zip' .")
        // Two sequences may pack the same one at once.
        rename("\(place).zip", name)
        return name
    }

    private var manifest: String {
        """
        {"name": "U", "version": "\(version).0", "dependency": "\(version - 1).0", "description": "",
         "patches": [{"name": "P", "type": "$ROOT", "mandatory": true, "path": "P", "description": ""},
                     {"name": "S", "type": "SQL", "mandatory": true, "path": "S", "description": ""}]}
        """
    }
}
