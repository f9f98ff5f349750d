/// A unit of the service manager, with what quiescing needs to know of it.
public struct Unit: Hashable, Sendable {
    /// Its own name, even if it was looked up by an alias.
    public var name: String
    /// Whether there is such a unit.
    public var exists: Bool
    /// `active`, `inactive`, `activating` …, as systemd says.
    public var activity: String
    /// A service's `Type=`; empty for other units.
    public var type: String
    /// Created by a program and not by a file: once stopped, nothing can start it again.
    public var isTransient: Bool
    /// Whether it may be stopped and started by name; false for one that is masked, or whose file refuses it.
    public var obeys: Bool
    /// Units that systemd stops with it: those that have `Requires=`, `BindsTo=` or `PartOf=` on it.
    public var stoppedAlong: [String]
    /// Timers, sockets and paths that start it.
    public var triggeredBy: [String]
    /// Units that it starts; only timers, sockets, paths and automounts have such.
    public var triggers: [String]
    /// Whether it is a socket that starts a unit for each connection (`Accept=yes`).
    public var accepts: Bool
    /// A service's main process; 0 without one.
    public var mainPID: Int32
    /// The conditions under which it starts, as `ConditionPathExists=!/…`; those that only trigger are left out.
    public var conditions: [String]
    /// The files with its settings, main file first; for messages.
    public var files: [String]
    /// How a service last ended; `success` is fine.
    public var result: String
    /// `running`, `exited`, `auto-restart` …
    public var detail: String

    /// Memberwise.
    public init(
        name: String, exists: Bool = true, activity: String = "inactive", type: String = "",
        isTransient: Bool = false, obeys: Bool = true, stoppedAlong: [String] = [], triggeredBy: [String] = [],
        triggers: [String] = [], accepts: Bool = false, mainPID: Int32 = 0, conditions: [String] = [],
        files: [String] = [], result: String = "success", detail: String = ""
    ) {
        self.name = name
        self.exists = exists
        self.activity = activity
        self.type = type
        self.isTransient = isTransient
        self.obeys = obeys
        self.stoppedAlong = stoppedAlong
        self.triggeredBy = triggeredBy
        self.triggers = triggers
        self.accepts = accepts
        self.mainPID = mainPID
        self.conditions = conditions
        self.files = files
        self.result = result
        self.detail = detail
    }

    /// Whether it runs in the contract's sense (§7).
    public var isRunning: Bool { ["active", "activating", "reloading"].contains(activity) }

    /// `service`, `timer` …
    public var kind: String { Unit.kind(of: name) }

    /// What follows the last dot of a unit's name.
    public static func kind(of name: String) -> String {
        name.lastIndex(of: ".").map { String(name[$0...].dropFirst()) } ?? ""
    }

    /// Whether it came up: it runs, or it is a batch service that ended successfully.
    public var cameUp: Bool {
        if detail == "auto-restart" { return false }
        if isRunning { return true }
        return kind == "service" && activity == "inactive" && result == "success"
    }

    /// Whether it runs again, by whomever it was started since; a batch service may be through. What is still starting may
    /// fail yet.
    public var isBack: Bool { cameUp && activity != "activating" && (isRunning || type == "oneshot") }

    /// Why it did not come up; nil when it did.
    public var problem: String? {
        if cameUp { return nil }
        if !exists { return "there is no such unit any more" }
        if detail == "auto-restart" { return "it ends as soon as it is started (\(result))" }
        if activity == "deactivating" { return "it is still stopping; systemd starts it once it has stopped" }
        return "it is \(activity) (\(result))"
    }
}
