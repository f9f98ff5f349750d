import PatchModel
import PatchPlan
import PatchStore

/// What is down and has to come back, for all endpoints. The files are the truth; this is the one place that writes them.
///
/// The order is what makes it safe to be killed anywhere: the record is durable before the first unit is stopped, the
/// files that keep units down are there before the stop, and a unit is forgotten only after it was started again.
actor QuiescedUnitStore {
    private let state: StateDirectory
    private let clocks: any Clocks
    private let report: @Sendable ([String]) -> Void
    private var record: QuiescedUnits

    /// - Parameter report: takes the units that do not come up again, at first and after each change.
    init(
        _ state: StateDirectory, clocks: any Clocks, report: @escaping @Sendable ([String]) -> Void = { _ in }
    ) throws(StoreError) {
        self.state = state
        self.clocks = clocks
        self.report = report
        record = try state.units()
        report(record.down.keys.sorted())
    }

    /// Units that are down or on their way back.
    var units: Set<String> { Set(record.units.keys) }

    /// Whether an endpoint has something down, or anything is still on its way back.
    func concerns(_ endpoint: String) -> Bool { record.concerns(endpoint) }

    /// All endpoints for which something is down.
    var endpoints: Set<String> { record.endpoints }

    /// By unit, why it does not come up again, of those that an endpoint's jobs stopped.
    func down(on endpoint: String) -> [String: String] {
        record.down.filter { $0.value.endpoints.contains(endpoint) }.mapValues(\.problem)
    }

    /// All units that do not come up again.
    var down: [String] { record.down.keys.sorted() }

    /// The units that a recorded one starts.
    func triggers(of name: String) -> [String] { record.units[name]?.triggers ?? [] }

    /// Records units and has them kept down; what of them runs is to be stopped now.
    func hold(_ holds: [UnitHold], endpoint: String) throws(StoreError) {
        var changed = record
        changed.hold(holds, endpoint: endpoint)
        try save(changed)
        try keepDown()
    }

    /// Takes back what an endpoint holds, but for folders that stay locked.
    ///
    /// - Returns: the units that ran before and are to be started now, with the folders of this endpoint that they were down
    ///   for as far as is known, and all to give to ``forget(_:)`` afterwards.
    func release(
        endpoint: String, keeping locked: Set<String>
    ) throws(StoreError) -> (start: [String: Set<String>], all: [String]) {
        var changed = record
        let free = changed.release(endpoint: endpoint, keeping: locked)
        var start: [String: Set<String>] = [:]
        for name in free where record.units[name]?.ranBefore == true {
            start[name] = Set(record.units[name]?.holders.filter { $0.endpoint == endpoint }.map(\.folder) ?? [])
        }
        try save(changed)
        try keepDown()
        return (start, free)
    }

    /// Forgets units that came back.
    func forget(_ names: [String]) throws(StoreError) {
        var changed = record
        changed.forget(names)
        try save(changed)
    }

    /// Remembers units that do not come up, until they run.
    ///
    /// - Parameters:
    ///   - problems: by unit, why.
    ///   - endpoint: whose job has to bring them back.
    func fail(_ problems: [String: String], for endpoint: String) throws(StoreError) {
        var changed = record
        changed.fail(problems, for: endpoint, at: clocks.now)
        try save(changed)
    }

    /// Of units that do not come up, one that this one needs.
    func need(of name: String, among problems: Set<String>) -> String? { record.need(of: name, among: problems) }

    /// Whether somebody holds a unit, perhaps again.
    func isHeld(_ name: String) -> Bool { record.units[name]?.holders.isEmpty == false }

    /// Records units that are about to be started for the time of an update.
    func startMaintenance(_ names: [String], endpoint: String) throws(StoreError) {
        var changed = record
        for name in names where changed.maintenance[name]?.contains(endpoint) != true {
            changed.maintenance[name, default: []].append(endpoint)
        }
        try save(changed)
    }

    /// The maintenance units that only this endpoint wants, and which are to be stopped now.
    func maintenance(of endpoint: String) -> [String] {
        record.maintenance.filter { $0.value == [endpoint] }.keys.sorted()
    }

    /// Forgets an endpoint's maintenance units.
    func endMaintenance(of endpoint: String) throws(StoreError) {
        var changed = record
        for name in changed.maintenance.keys {
            changed.maintenance[name]?.removeAll { $0 == endpoint }
            if changed.maintenance[name]?.isEmpty == true { changed.maintenance[name] = nil }
        }
        try save(changed)
    }

    /// Whether an endpoint's `startCommand` is due.
    func isCommandDue(_ endpoint: String) -> Bool { record.commands[endpoint] != nil }

    /// Whether an endpoint's `stopCommand` was run to its end in this boot.
    func commandStopped(_ endpoint: String, in boot: String) -> Bool {
        !boot.isEmpty && record.commands[endpoint] == boot
    }

    /// Records how far an endpoint's commands are.
    ///
    /// - Parameter boot: in which `stopCommand` was through; empty: it is begun. Either way `startCommand` is due. Nil: it is
    ///   not.
    func setCommand(_ endpoint: String, stopped boot: String?) throws(StoreError) {
        var changed = record
        changed.commands[endpoint] = boot
        try save(changed)
    }

    private func save(_ changed: QuiescedUnits) throws(StoreError) {
        if changed == record { return }
        try state.write(changed)
        record = changed
        report(changed.down.keys.sorted())
    }

    private func keepDown() throws(StoreError) {
        let held = record.units.filter { !$0.value.holders.isEmpty }.keys
        try state.keepDown(Set(held.filter(UnitSelection.isGuarded)))
    }
}
