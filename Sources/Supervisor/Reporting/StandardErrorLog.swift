import Glibc
public import Logging
import PatchModel

/// Log lines on standard error, for where there is no journal: `<level>: sentence`. The sentence says it all; the fields
/// are for programs that search the journal.
public struct StandardErrorLog: LogHandler {
    /// Of every line of this logger; not shown.
    public var metadata: Logger.Metadata = [:]
    /// Nothing below it is written.
    public var logLevel = Logger.Level.info

    /// A handler without metadata.
    public init() {}

    /// One value of ``metadata``.
    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line.
    public func log(event: LogEvent) {
        // Names of files are whatever a user likes: they must not look like lines of their own, or move the cursor.
        let text = Printable.line(event.message.description)
        let line = "\(event.level): \(text)\n"
        _ = line.withCString { write(2, $0, strlen($0)) }
    }
}
