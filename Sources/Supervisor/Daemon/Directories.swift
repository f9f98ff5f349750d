/// Where everything lies; absolute paths.
public struct Directories: Sendable {
    /// `patchd.yaml`, `endpoints.d/`.
    public var configuration: String
    /// `incoming/`, `holds/`, `requests/`, `rejected/`.
    public var spool: String
    /// What patchd remembers.
    public var state: String
    /// What need not outlive a reboot.
    public var runtime: String
    /// Where units get drop-ins: `/etc/systemd/system`.
    public var units: String

    /// Directories from their paths.
    public init(configuration: String, spool: String, state: String, runtime: String, units: String) {
        self.configuration = configuration
        self.spool = spool
        self.state = state
        self.runtime = runtime
        self.units = units
    }
}
