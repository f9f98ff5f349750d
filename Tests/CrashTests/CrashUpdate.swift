import Foundation
import Support

/// The two updates of the matrix. The first one brings what the second one replaces, so that each kind of step occurs.
enum CrashUpdate {
    /// A file of an archive.
    private struct Entry {
        var path: String
        var text: String
        var mode = 0o644
    }

    /// Says in `runs` when it began and ended, and fails while a file `fail`, or one with its own name, lies beside it. It makes
    /// no call that is counted before the worker's own: a script that is killed by itself has failed, and is not cut off.
    private static func script(_ name: String) -> String {
        "set -e\necho \(name) begins >>runs\nread line <lib/a.dat\necho \"$line\" >seen-\(name)\n[ ! -e fail ] || exit 3\n[ ! -e fail-\(name) ] || exit 3\necho \(name) ended >>runs\n"
    }

    private static let first: [Entry] = [
        Entry(path: "MAIN/app.ini", text: "setting=1\n"), Entry(path: "MAIN/lib/a.dat", text: "one\n"),
        Entry(path: "MAIN/dir/deep/x", text: "x\n"), Entry(path: "MAIN/was-file", text: "a file\n"),
        Entry(path: "MAIN/bin/tool", text: "tool\n"), Entry(path: "MAIN/same.dat", text: "same\n"),
        Entry(path: "MAIN/old/deep/x", text: "x\n", mode: 0o755), Entry(path: "MAIN/old.dat", text: "old\n"),
    ]

    private static let second: [Entry] = [
        Entry(path: "MAIN/app.ini", text: "setting=2\n"), Entry(path: "MAIN/lib/a.dat", text: "two\n"),
        Entry(path: "MAIN/dir", text: "a file now\n"), Entry(path: "MAIN/was-file/x", text: "x\n"),
        Entry(path: "MAIN/bin/tool", text: "tool\n", mode: 0o755), Entry(path: "MAIN/same.dat", text: "same\n"),
        Entry(path: "MAIN/new.dat", text: String(repeating: "new\n", count: 5000)),
        Entry(path: "MAIN/new/deep/b.dat", text: "b\n"),
        Entry(path: "MAIN/upgrades/8.0.2_a.sh", text: script("a")),
        Entry(path: "MAIN/upgrades/8.0.2_b.sh", text: script("b")),
        Entry(path: "MAIN/downgrades/8.0.2_a.sh", text: ": >seen-a\n"),
        Entry(path: "MAIN/downgrades/8.0.2_b.sh", text: ": >seen-b\n"),
        Entry(path: "MORE/lib/a.dat", text: "newer two\n"), Entry(path: "MORE/more.dat", text: "more\n"),
        Entry(path: "MORE/upgrades/8.0.2_c.sh", text: script("c")),
        Entry(path: "MORE/downgrades/8.0.2_c.sh", text: ": >seen-c\n"),
    ]

    /// For the folder with a database: what a script did is counted there.
    private static let database: [Entry] = [
        Entry(
            path: "DATA/upgrades/8.0.2_a.sql",
            text:
                "ALTER TABLE log ADD COLUMN code;\nINSERT INTO log VALUES ('a', (SELECT code FROM patchd_revision));\n"),
        Entry(
            path: "DATA/upgrades/8.0.2_b.sql",
            text: "INSERT INTO log VALUES ('b1', 0);\n-- patchd:reconnect\nINSERT INTO log VALUES ('b2', 0);\n"),
        Entry(
            path: "DATA/downgrades/8.0.2.sql",
            text: "ALTER TABLE log DROP COLUMN code;\nINSERT INTO log VALUES ('down');\n"),
    ]

    /// Commands: a copy under another name, a removal, a table with its rows, and what the registry says of it.
    private static let commands: [Entry] = [
        Entry(
            path: "JOBS/jobs.json",
            text: #"[["filecopyto", "one", "renamed.dat"], ["filedelete", "same.dat"], ["installdata", "rates"]]"#),
        Entry(
            path: "JOBS/datafiles.json",
            text: #"{"rates": {"files": ["RATES.DBM"], "record": {"index": 1}, "rows": "rates.csv"}}"#),
        Entry(path: "JOBS/one", text: "renamed\n"), Entry(path: "JOBS/RATES.DBM", text: "table\n"),
        Entry(path: "JOBS/rates.csv", text: "what\nrow 1\nrow 2\n"),
    ]

    /// What the endpoint has a handler for.
    private static let handed: [Entry] = [
        Entry(path: "HAND/data/import.hnd", text: "handed over\n"), Entry(path: "HAND/beside.dat", text: "beside\n"),
    ]

    /// The handler's program: what it did is counted in `runs`, and it makes no more calls than ``script(_:)``.
    static let handler = "#!/bin/sh\nset -e\nread line <\"$1\"\n[ -e beside.dat ]\necho \"$line\" >>runs\n"

    /// Packs 8.0.1 or 8.0.2.
    static func pack(version: String, dependency: String, to path: String) throws {
        let isFirst = version == "8.0.1"
        let more =
            isFirst
            ? ""
            : #", {"name": "MORE", "type": "HRM", "mandatory": false, "path": "MORE", "description": "optional"}, "#
                + #"{"name": "DATA", "type": "SQL", "mandatory": true, "path": "DATA", "description": "SQL"}, "#
                + #"{"name": "JOBS", "type": "SQL", "mandatory": false, "path": "JOBS", "description": "jobs"}, "#
                + #"{"name": "HAND", "type": "HRM", "mandatory": false, "path": "HAND", "description": "handler"}"#
        let manifest = """
            {"name": "X3V8_C", "version": "\(version)", "dependency": "\(dependency)", "description": "to be cut off",
             "patches": [{"name": "MAIN", "type": "$ROOT", "mandatory": true, "path": "MAIN", "description": "main",
              "keep": ["*.ini"]\(isFirst ? "" : #", "delete": ["old.dat", "old"]"#)}\(more)]}
            """
        let place = path + ".content"
        defer { try? FileManager.default.removeItem(atPath: place) }
        for entry in (isFirst ? first : second + database + commands + handed) + [
            Entry(path: "update.json", text: manifest)
        ] {
            let file = "\(place)/\(entry.path)"
            try FileManager.default.createDirectory(
                atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(entry.text.utf8).write(to: URL(fileURLWithPath: file))
            chmod(file, mode_t(entry.mode))
        }
        try Command.tool("/bin/sh", "-c", "cd \(place) && zip -qrX ../zip.zip . && mv ../zip.zip \(path)")
    }
}
