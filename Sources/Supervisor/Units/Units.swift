public import PatchModel

/// What the supervisor needs of the service manager. Each call blocks until its effect is there.
public protocol Units: Sendable {
    /// Whether units are stopped and started at all; without, the other calls are not made.
    var areManaged: Bool { get }

    /// Names of loaded units and of unit files that match a glob; a literal name matches when there is such a unit.
    func names(matching glob: String) throws -> [String]

    /// Templates (`app@.service`) that a glob matches; all their instances are meant then, also those to come.
    func templates(matching glob: String) throws -> [String]

    /// One unit; that there is none is no error (``Unit/exists``).
    func unit(_ name: String) throws -> Unit

    /// Stops units, all at once, and waits for them. Called again for those that are still stopping, it goes on waiting.
    ///
    /// - Parameter seconds: how long it waits at most.
    func stop(_ names: [String], seconds: Double) throws -> UnitStop

    /// Starts units, all at once, and waits for them but for batch services, which take as long as they take, and units
    /// that are still stopping. How often somebody tried to start them before does not count.
    ///
    /// - Parameter seconds: how long it waits at most; the service manager goes on with what is not up by then.
    /// - Returns: by unit, why it was not started; those that were are left out.
    func start(_ names: [String], seconds: Double) throws -> [String: String]

    /// Has changed unit files read.
    func reload() throws

    /// Whether the host is on its way down, so that nothing can be started any more.
    func isShuttingDown() -> Bool
}

/// How far units are that were asked to stop.
public struct UnitStop: Sendable {
    /// By unit, why it did not stop as it should; those that did are left out.
    public var problems: [String: String]
    /// Units that are still stopping.
    public var unfinished: [String]

    /// An outcome from its parts.
    public init(problems: [String: String] = [:], unfinished: [String] = []) {
        self.problems = problems
        self.unfinished = unfinished
    }
}

/// Units that are left alone.
public struct NoUnits: Units {
    /// Nothing to set up.
    public init() {}

    /// False.
    public var areManaged: Bool { false }

    /// None.
    public func names(matching glob: String) -> [String] { [] }

    /// None.
    public func templates(matching glob: String) -> [String] { [] }

    /// None.
    public func unit(_ name: String) -> Unit { Unit(name: name, exists: false) }

    /// Does nothing.
    public func stop(_ names: [String], seconds: Double) -> UnitStop { UnitStop() }

    /// Does nothing.
    public func start(_ names: [String], seconds: Double) -> [String: String] { [:] }

    /// Does nothing.
    public func reload() {}

    /// False.
    public func isShuttingDown() -> Bool { false }
}
