import Logging
import Synchronization

/// Keeps what the daemon logs.
final class RecordedLog: Sendable {
    private let kept = Mutex<[String]>([])
    private let body = Mutex<@Sendable (String) -> Void>({ _ in })

    var lines: [String] { kept.withLock { $0 } }

    /// Called for each line.
    func onLine(_ body: @escaping @Sendable (String) -> Void) { self.body.withLock { $0 = body } }

    var logger: Logger { Logger(label: "patchd") { _ in Handler(log: self) } }

    func has(_ text: String) -> Bool { lines.contains { $0.contains(text) } }

    private func note(_ line: String) {
        kept.withLock { $0.append(line) }
        body.withLock { $0 }(line)
    }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { log.note(event.message.description) }
    }
}
