import Foundation
import PatchArchive
import PatchFiles
import PatchModel

/// A small valid update and ways to check one.
enum Sample {
    static let manifest = """
        {"name": "U", "version": "8.0.2", "dependency": "8.0.1",
         "patches": [{"name": "P", "type": "$ROOT", "mandatory": true, "path": "P/FILPATCH"}]}
        """
    static let files: [(name: String, text: String, mode: UInt32)] = [
        ("update.json", manifest, 0o644),
        ("P/FILPATCH/a.txt", "the first file\n", 0o644),
        ("P/FILPATCH/b.txt", String(repeating: "the second file\n", count: 20), 0o640),
        ("P/FILPATCH/sub/run.sh", "#!/bin/sh\nexit 0\n", 0o755),
    ]

    static var zip: ZipBuilder {
        ZipBuilder(files.map { ZipMember($0.name, $0.text, mode: 0o100000 | $0.mode) })
    }

    /// The valid update with one more file.
    static func zip(with member: ZipMember) -> ZipBuilder {
        var zip = zip
        zip.members.append(member)
        return zip
    }

    /// Writes the update as plain files.
    static func write(to directory: String) throws {
        for file in files {
            let path = directory + "/" + file.name
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(file.text.utf8).write(to: URL(filePath: path))
            chmod(path, file.mode)
        }
    }
}

/// A directory that ends with the value.
final class Scratch {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "patch-archive-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let place = path + "/" + name
        try Data(bytes).write(to: URL(filePath: place))
        return place
    }

    func directory(_ name: String) throws -> String {
        let place = path + "/" + name
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        return place
    }
}

/// Checks a file without unpacking it.
func check(_ path: String, limits: Limits = Limits()) throws -> UnpackVerdict {
    try ArchiveCheck.check(archive: File.open(path), limits: limits)
}

/// Checks bytes.
func check(_ bytes: [UInt8], limits: Limits = Limits()) throws -> UnpackVerdict {
    let scratch = try Scratch()
    return try check(scratch.file("u.zip", bytes), limits: limits)
}

extension UnpackVerdict {
    /// `accepted` or the code.
    var outcome: String { refusal.map(\.code.rawValue) ?? (update == nil ? "neither" : "accepted") }
    /// For messages of failed tests.
    var story: String { refusal.map { "\($0.code): \($0)" } ?? "accepted" }
    /// Path and hash of every file.
    var hashes: [String: String] {
        Dictionary(
            uniqueKeysWithValues: (update?.entries ?? []).filter { $0.kind == .file }.map { ($0.path, $0.sha256) })
    }
}

/// Runs a program; its output, or an error with what it said.
@discardableResult
func run(_ command: [String], in directory: String, environment: [String: String] = [:], input: String? = nil) throws
    -> String
{
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.currentDirectoryURL = URL(filePath: directory)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let scratch = try Scratch()
    let out = try scratch.file("out", [])
    process.standardOutput = FileHandle(forWritingAtPath: out)
    process.standardError = FileHandle(forWritingAtPath: try scratch.file("err", []))
    process.standardInput = try FileHandle(forReadingFrom: URL(filePath: scratch.file("in", Array((input ?? "").utf8))))
    try process.run()
    process.waitUntilExit()
    let said = try String(contentsOfFile: scratch.path + "/err", encoding: .utf8)
    guard process.terminationStatus == 0 else { throw Failed(description: "\(command): \(said)") }
    return try String(contentsOfFile: out, encoding: .utf8)
}

struct Failed: Error, CustomStringConvertible { var description: String }
