import Foundation
import Testing

@testable import Systemd

/// Unit files of one test.
struct UnitFiles {
    private let names: [String]
    private let manager = ServiceManager()

    /// Writes them, by name, and has systemd read them. A text that begins with `/` is the target of a link.
    init(_ files: [String: String]) throws {
        names = files.keys.sorted()
        for (name, text) in files { try Self.write(name, text) }
        try manager.reload()
    }

    static func path(_ name: String) -> String { "/etc/systemd/system/\(name)" }

    static func write(_ name: String, _ text: String) throws {
        let file = path(name)
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        if text.hasPrefix("/") {
            try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: text)
        } else {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }
    }

    /// What a service does that just runs.
    static let running = "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n"

    /// Stops the units and removes the files.
    func remove() {
        _ = try? manager.stop(names)
        for name in names {
            try? FileManager.default.removeItem(atPath: Self.path(name))
            try? manager.resetFailed(name)
        }
        try? manager.reload()
    }
}

/// Runs a program inside; its output.
@discardableResult
func run(_ command: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
}
