import Foundation
import PatchFiles
import Testing

/// A host as an older build left it, from `Fixtures/`. It was made below `/tmp/patchd-older`; paths and inodes become those of
/// this installation.
struct OlderHost {
    private static let origin = "/tmp/patchd-older"

    let host: Installation

    /// - Parameter fixture: the archive's name in `Fixtures/`.
    init(_ fixture: String) throws {
        host = try Installation()
        for name in ["etc", "spool", "srv", "state"] {
            try FileManager.default.removeItem(atPath: "\(host.root)/\(name)")
        }
        let fixtures = (#filePath as NSString).deletingLastPathComponent + "/../Fixtures"
        try #require(Installation.run("/bin/tar", ["-xzf", "\(fixtures)/\(fixture)", "-C", host.root]).code == 0)
    }

    private func moved(_ text: String) -> String { text.replacingOccurrences(of: Self.origin, with: host.root) }

    /// Gives a file the paths that its host has here.
    func move(_ relative: String) throws {
        let text = try moved(host.read(relative))
        try host.write(geteuid() == 0 ? text : text.replacingOccurrences(of: "owner: root\n", with: ""), relative)
    }

    func inode(_ relative: String) throws -> UInt64 {
        var status = stat()
        try #require(lstat("\(host.root)/\(relative)", &status) == 0, "\(relative)")
        return UInt64(status.st_ino)
    }

    /// Gives a folder's marker the inode that the folder has here.
    func mark(_ folder: String) throws {
        let marker = "\(folder)/.patchd/marker.json"
        let own = try host.json(marker).merging(["inode": inode(folder)]) { $1 }
        try JSONSerialization.data(withJSONObject: own).write(to: URL(fileURLWithPath: "\(host.root)/\(marker)"))
    }

    /// Gives a ledger the paths that its files have here, and its slots what they are to be.
    func relink(_ ledger: String, _ slot: ([String: Any]) throws -> [String: Any]) throws {
        var lines = ""
        for (number, line) in try host.read(ledger).split(separator: "\n").enumerated() {
            let json = moved(String(line.split(separator: " ", maxSplits: 2)[2]))
            var record = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            if let staged = record["staged"] as? [String: [[String: Any]]], let all = staged["_0"] {
                record["staged"] = ["_0": try all.map(slot)]
            }
            let bytes = try JSONSerialization.data(withJSONObject: record, options: [.withoutEscapingSlashes])
            let text = String(decoding: bytes, as: UTF8.self)
            let sum = SHA256.hash(of: Array("\(number):\(text)".utf8)).prefix(16)
            lines += "\(text.utf8.count) \(sum) \(text)\n"
        }
        try host.write(lines, ledger)
    }
}
