import Foundation
import Logging
import Testing

@testable import Systemd

@Suite struct `A log message for the journal` {
    private struct Failure: Error, CustomStringConvertible { let description = "it broke" }

    private func fields(
        _ handler: JournalLog = JournalLog(), level: Logger.Level = .info, error: (any Error)? = nil,
        _ metadata: Logger.Metadata? = nil
    ) -> [String] {
        handler.fields(
            of: LogEvent(
                level: level, message: "a job\nis done", error: error, metadata: metadata, source: "", file: "",
                function: "", line: 1))
    }

    @Test func `has the fields that the contract names`() {
        var handler = JournalLog()
        handler[metadataKey: "job"] = "11"
        handler[metadataKey: "endpoint"] = "payroll"
        #expect(handler[metadataKey: "endpoint"] == "payroll")
        let long = String(repeating: "k", count: 100)
        let found = fields(
            handler,
            [
                "job": "12", "folder": ["PAIE", "SEED"], "a.b-c é": "x=y",
                "message-id": "0123456789abcdef0123456789abcdef", "\(long)": "v",
            ])
        #expect(found.first == "MESSAGE=a job\nis done")
        #expect(
            found.dropFirst().sorted()
                == [
                    "MESSAGE_ID=0123456789abcdef0123456789abcdef", "PATCHD_A_B_C__=x=y", "PATCHD_ENDPOINT=payroll",
                    "PATCHD_FOLDER=PAIE", "PATCHD_FOLDER=SEED", "PATCHD_JOB=12",
                    "PATCHD_" + String(repeating: "K", count: 57) + "=v", "PRIORITY=6",
                    "SYSLOG_IDENTIFIER=patchd",
                ].sorted())
        #expect(fields(error: Failure()).contains("PATCHD_ERROR=it broke"))
        #expect(fields(JournalLog(identifier: "patchctl")).contains("SYSLOG_IDENTIFIER=patchctl"))
    }

    @Test(arguments: [
        (Logger.Level.critical, 2), (.error, 3), (.warning, 4), (.notice, 5), (.info, 6), (.debug, 7), (.trace, 7),
    ]) func `has syslog's priority`(_ level: Logger.Level, _ priority: Int) {
        #expect(fields(level: level)[1] == "PRIORITY=\(priority)")
    }

    @Test func `is for the journal only if standard error goes there`() async {
        await #expect(processExitsWith: .success) {
            unsetenv("JOURNAL_STREAM")
            #expect(!JournalLog.isConnected)
            var status = stat()
            #expect(fstat(2, &status) == 0)
            setenv("JOURNAL_STREAM", "\(status.st_dev):\(status.st_ino)", 1)
            #expect(JournalLog.isConnected)
            setenv("JOURNAL_STREAM", "\(status.st_dev):\(status.st_ino + 1)", 1)
            #expect(!JournalLog.isConnected)
            setenv("JOURNAL_STREAM", "nonsense", 1)
            #expect(!JournalLog.isConnected)
        }
    }
}

extension `In a booted machine` {
    @Suite struct `The journal` {
        @Test func `has what was logged`() throws {
            var logger = Logger(label: "test") { _ in JournalLog() }
            let identity = "7d4958e842da4a758f6c1cdc7b36dcc5"
            logger[metadataKey: "folder"] = "SEED"
            logger.warning("two\nlines", metadata: ["message-id": "\(identity)", "step-number": "3"])
            try run("journalctl", "--sync")
            let line = try run("journalctl", "-o", "json", "PATCHD_FOLDER=SEED", "MESSAGE_ID=\(identity)")
            let entry = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let expected = [
                "MESSAGE": "two\nlines", "PRIORITY": "4", "SYSLOG_IDENTIFIER": "patchd", "PATCHD_STEP_NUMBER": "3",
                "_TRANSPORT": "journal", "_PID": "\(getpid())",
            ]
            for (name, value) in expected { #expect(entry[name] as? String == value, "\(name)") }
        }

        @Test func `is not where a service writes that was redirected`() throws {
            // systemd connected this service to it and said so in JOURNAL_STREAM; then a shell redirected it.
            #expect(ProcessInfo.processInfo.environment["JOURNAL_STREAM"] != nil)
            #expect(!JournalLog.isConnected)
        }

        @Test func `gets what a service logs, else its standard error does`() throws {
            let manager = ServiceManager()
            var service = TransientService(
                name: "t-logger.service", description: "logs",
                command: [
                    CommandLine.arguments[0], "--testing-library", "swift-testing", "--filter", "say where they log",
                ])
            service.environment = ["PATCHD_TESTS_LOG": "1"]
            try manager.startTransient(service)
            try manager.waitUntilInactive(service.name)
            try run("journalctl", "--sync")
            let logged = try run("journalctl", "-o", "cat", "PATCHD_TEST=yes", "_SYSTEMD_UNIT=t-logger.service")
            #expect(logged == "connected: true\n")

            let error = open("/var/t-err", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            defer { close(error) }
            service.standardError = error
            service.properties = [.inaccessiblePaths(["/run/systemd/journal"])]
            try manager.startTransient(service)
            try manager.waitUntilInactive(service.name)
            #expect(try String(contentsOfFile: "/var/t-err", encoding: .utf8).contains("<3>connected: false\n"))
        }
    }
}

/// Run by the test above, in a service.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["PATCHD_TESTS_LOG"] != nil)) struct `Services` {
    @Test func `say where they log`() {
        let logger = Logger(label: "test") { _ in JournalLog() }
        logger.error("connected: \(JournalLog.isConnected)", metadata: ["test": "yes"])
    }
}
