import Glibc
public import Logging

/// Log lines on standard error, for where there is no journal: `<level> message key=value …`.
public struct StandardErrorLog: LogHandler {
    /// Of every line of this logger.
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
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }
        let values = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\"\($0.value)\"" }.joined()
        let line = "\(event.level): \(event.message)\(values)\n"
        _ = line.withCString { write(2, $0, strlen($0)) }
    }
}
