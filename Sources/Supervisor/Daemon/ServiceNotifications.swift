/// What a service tells the service manager about itself (sd_notify(3)).
public protocol ServiceNotifications: Sendable {
    /// Start-up, or a reload, is through.
    func ready()
    /// The configuration is being read again.
    func reloading()
    /// One line for `systemctl status`.
    func status(_ line: String)
    /// The main loop lives.
    func alive()
    /// Seconds within which ``alive()`` is expected; nil: never.
    var watchdog: Double? { get }
}

/// For where nobody listens.
public struct NoNotifications: ServiceNotifications {
    /// Nothing to set up.
    public init() {}
    /// Does nothing.
    public func ready() {}
    /// Does nothing.
    public func reloading() {}
    /// Does nothing.
    public func status(_ line: String) {}
    /// Does nothing.
    public func alive() {}
    /// Nil.
    public var watchdog: Double? { nil }
}
