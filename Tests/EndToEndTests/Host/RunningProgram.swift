import Foundation
import Testing

/// A program that runs beside the test, which it does not outlive.
final class RunningProgram {
    private let process = Process()
    private let place = "/tmp/patchd-program-\(UInt64.random(in: .min ... .max))"
    private let input = Foundation.Pipe()

    init(
        _ program: String, _ arguments: [String], in directory: String? = nil, environment: [String: String] = [:]
    ) throws {
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        process.standardInput = input
        for end in ["o", "e"] { _ = FileManager.default.createFile(atPath: "\(place).\(end)", contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(place).o"))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(place).e"))
        try process.run()
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        for end in ["o", "e"] { try? FileManager.default.removeItem(atPath: "\(place).\(end)") }
    }

    var pid: Int32 { process.processIdentifier }
    var output: String { text("o") }
    var errors: String { text("e") }
    var isRunning: Bool { process.isRunning }

    private func text(_ end: String) -> String {
        String(decoding: FileManager.default.contents(atPath: "\(place).\(end)") ?? Data(), as: UTF8.self)
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    func write(_ text: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
    }

    /// Its exit code, or 128 and the signal's number; nil when it does not end within half a minute.
    func end() -> Int32? {
        let end = Date().addingTimeInterval(30)
        while process.isRunning {
            if Date() > end { return nil }
            poll(nil, 0, 20)
        }
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }
}
