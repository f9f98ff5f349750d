import Foundation
import Support
import Testing

/// Another session: the mariadb program, which has run its statements and waits for more.
final class MariaDBHolder {
    private let process = Process()
    private let input = Foundation.Pipe()
    /// What the server knows it by.
    let id: String

    /// Returns when it has run them.
    init(_ statements: String, _ database: TestMariaDB, user: String = "root") throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/mariadb")
        process.arguments = [
            "--no-defaults", "-n", "-N", "-B", "--skip-reconnect", "-u", user, "-S", database.server.socket,
            database.name,
        ]
        let output = Foundation.Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        try input.fileHandleForWriting.write(
            contentsOf: Data("\(statements);\nSELECT concat('ready ', connection_id(), ';');\n".utf8))
        var said = ""
        while !said.contains("ready") || !said.contains(";") {
            let bytes = output.fileHandleForReading.availableData
            try #require(!bytes.isEmpty, "\(statements): \(said)")
            said += String(decoding: bytes, as: UTF8.self)
        }
        id = String(said.split(separator: " ").last?.prefix { $0 != ";" } ?? "")
    }

    /// Whether its session is still there.
    func isConnected(_ database: TestMariaDB) throws -> Bool {
        try database.program("SELECT count(*) FROM information_schema.processlist WHERE id = \(id)") == "1"
    }

    /// Lets go, and returns when it is gone.
    func leave() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    deinit { if process.isRunning { leave() } }
}
