import CSystemd
import Glibc
public import Logging

/// Log messages as journal entries (systemd.journal-fields(7)): `MESSAGE`, `PRIORITY`, `SYSLOG_IDENTIFIER`, and each
/// value of the metadata as a field `PATCHD_<KEY>`; an array becomes that field once for each element, so that each
/// finds the entry; `message-id` becomes `MESSAGE_ID`, the key of the catalogue. A message that journald does not
/// accept goes to standard error.
public struct JournalLog: LogHandler {
    /// Of every entry of this logger.
    public var metadata: Logger.Metadata = [:]
    /// The lowest level that is sent.
    public var logLevel = Logger.Level.info
    private let identifier: String

    /// A handler without metadata.
    public init(identifier: String = "patchd") { self.identifier = identifier }

    /// Whether standard error is connected to the journal: `JOURNAL_STREAM` names its device and inode
    /// (systemd.exec(5)), so a standard error that was redirected since does not count.
    public static var isConnected: Bool {
        guard let stream = getenv("JOURNAL_STREAM").map({ String(cString: $0) }) else { return false }
        var status = stat()
        return fstat(2, &status) == 0 && stream == "\(status.st_dev):\(status.st_ino)"
    }

    /// Whether journald listens. Without its socket sd_journal_sendv(3) drops an entry and reports success.
    public static var isThere: Bool { access("/run/systemd/journal/socket", W_OK) == 0 }

    /// One value of ``metadata``.
    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Sends one entry.
    public func log(event: LogEvent) {
        guard !Self.send(fields(of: event)) else { return }
        let line = "<\(Self.priority(of: event.level))>\(event.message)\n"
        _ = line.withCString { write(2, $0, strlen($0)) }
    }

    /// The entry's fields, `NAME=value`.
    func fields(of event: LogEvent) -> [String] {
        var values = metadata.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { values["error"] = "\(error)" }
        return [
            "MESSAGE=\(event.message)", "PRIORITY=\(Self.priority(of: event.level))", "SYSLOG_IDENTIFIER=\(identifier)",
        ]
            + values.sorted { $0.key < $1.key }.flatMap { key, value in
                let name = Self.field(key)
                guard case .array(let elements) = value else { return ["\(name)=\(value)"] }
                return elements.map { "\(name)=\($0)" }
            }
    }

    /// The syslog priority (syslog(3)).
    private static func priority(of level: Logger.Level) -> Int32 {
        switch level {
        case .critical: LOG_CRIT
        case .error: LOG_ERR
        case .warning: LOG_WARNING
        case .notice: LOG_NOTICE
        case .info: LOG_INFO
        case .debug, .trace: LOG_DEBUG
        }
    }

    /// A name that journald accepts; it drops others silently: `[A-Z0-9_]`, 64 at most.
    private static func field(_ key: String) -> String {
        guard key != "message-id" else { return "MESSAGE_ID" }
        let allowed = key.uppercased().unicodeScalars.map { scalar -> Character in
            ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) ? Character(scalar) : "_"
        }
        return String(("PATCHD_" + String(allowed)).prefix(64))
    }

    /// Whether journald accepted it.
    private static func send(_ fields: [String]) -> Bool {
        guard isThere else { return false }
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for field in fields {
            bytes += field.utf8
            ends.append(bytes.count)
        }
        return bytes.withUnsafeMutableBytes { buffer in
            var start = 0
            let parts = ends.map { end in
                defer { start = end }
                return iovec(iov_base: buffer.baseAddress?.advanced(by: start), iov_len: end - start)
            }
            return sd_journal_sendv(parts, Int32(parts.count)) >= 0
        }
    }
}
