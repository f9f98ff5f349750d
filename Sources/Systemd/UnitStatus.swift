/// A unit as systemd has it, read from its D-Bus properties (org.freedesktop.systemd1(5)).
public struct UnitStatus: Hashable, Sendable {
    /// Its own name, even if it was looked up by an alias.
    public var id = ""
    /// All its names.
    public var names: [String] = []
    /// `loaded`, `not-found`, `bad-setting`, `error`, `masked` …
    public var loadState = ""
    /// `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`.
    public var activeState = ""
    /// The state in the words of its kind of unit: `running`, `dead`, `auto-restart` …
    public var subState = ""
    /// `enabled`, `disabled`, `static`, `masked`, `transient` …; empty without a unit file.
    public var unitFileState = ""
    /// A service's `Type=`: `simple`, `exec`, `oneshot` …; empty for other units.
    public var type = ""
    /// How a service ended last: `success`, `exit-code`, `timeout` …; empty for other units.
    public var result = ""
    /// A service's main process, 0 without one.
    public var mainPID: Int32 = 0
    /// Whether a socket starts a unit for each connection (`Accept=`); false for other units.
    public var accepts = false
    /// Its unit file; empty without one.
    public var fragmentPath = ""
    /// Its drop-ins.
    public var dropInPaths: [String] = []
    /// Whether it was created by a program and has no unit file.
    public var isTransient = false
    /// Whether it may be started by hand: not where it is masked or its file says `RefuseManualStart=`.
    public var canStart = true
    /// Whether it may be stopped by hand: not where its file says `RefuseManualStop=`.
    public var canStop = true
    /// Whether systemd has a job to start it that has not ended, as before its turn in the boot.
    public var isBeingStarted = false
    var jobPath = ""
    /// Whether its files were changed since systemd read them.
    public var needDaemonReload = false
    /// Units with `Requires=` of this one. systemd stops them along.
    public var requiredBy: [String] = []
    /// Units with `Requisite=` of this one. systemd stops them along.
    public var requisiteOf: [String] = []
    /// Units with `BindsTo=` of this one. systemd stops them along.
    public var boundBy: [String] = []
    /// Units with `PartOf=` of this one. systemd stops them along.
    public var consistsOf: [String] = []
    /// Units that it passes a stop on to (`PropagatesStopTo=`).
    public var propagatesStopTo: [String] = []
    /// Units that start it: timers, sockets, paths.
    public var triggeredBy: [String] = []
    /// Units that it starts.
    public var triggers: [String] = []
    /// Whether its conditions held when it was last started; false where it never was.
    public var conditionResult = false
    /// Its conditions, without the assertions.
    public var conditions: [UnitCondition] = []

    /// A status in which nothing is known.
    public init() {}

    /// Whether the unit exists, on disk or in memory.
    public var exists: Bool { loadState != "not-found" }

    /// Whether it runs, or is just being started: what has to run again after a job.
    public var isUp: Bool { ["active", "activating", "reloading"].contains(activeState) }

    /// Whether nothing of it runs, and systemd has no job for it.
    public var isDown: Bool { ["inactive", "failed"].contains(activeState) }

    /// The units that systemd stops when this one is stopped, each once, sorted, without those that these stop in turn.
    public var stopsAlong: [String] {
        Set(requiredBy + requisiteOf + boundBy + consistsOf + propagatesStopTo).sorted()
    }
}

/// One `Condition…=` of a unit.
public struct UnitCondition: Hashable, Sendable {
    /// `ConditionPathExists` …
    public var type: String
    /// Written with `|`: one of these is enough.
    public var isTrigger: Bool
    /// Written with `!`.
    public var isNegated: Bool
    /// What it looks at, without `|` and `!`.
    public var parameter: String
    /// Above 0: it held at the last start; below 0: it did not; 0: it was not checked.
    public var state: Int32
}
