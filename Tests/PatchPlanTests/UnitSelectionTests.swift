import PatchModel
import PatchPlan
import Testing

@Suite struct `The units of an endpoint` {
    private let units: [String: Unit] = [
        "batch.service": Unit(
            name: "batch.service", activity: "active", stoppedAlong: ["report.service", "idle.service"],
            triggeredBy: ["batch.timer"]),
        "report.service": Unit(name: "report.service", activity: "activating", stoppedAlong: ["mail.service"]),
        "mail.service": Unit(name: "mail.service", activity: "active"),
        "idle.service": Unit(name: "idle.service"),
        "batch.timer": Unit(name: "batch.timer", activity: "active"),
        "app@SEED.service": Unit(name: "app@SEED.service", activity: "active"),
    ]

    private func look(_ name: String) -> Unit { units[name] ?? Unit(name: name, exists: false) }

    @Test func `are named for the whole endpoint, or one for each locked folder`() {
        let endpoint = Endpoint(
            name: "payroll", path: "/srv",
            folders: ["PAIE", "SEED", "SEED2"].map { name in
                Folder(name: name, parent: name == "PAIE" ? nil : "PAIE", path: "/srv/\(name)")
            })
        let patterns = UnitSelection.patterns(
            ["batch-*.timer", "app@%f.service"], endpoint: endpoint, folders: ["PAIE", "SEED"])
        #expect(patterns.map(\.glob) == ["batch-*.timer", "app@PAIE.service", "app@SEED.service"])
        #expect(patterns.map(\.folder) == ["PAIE", "PAIE", "SEED"])
    }

    @Test func `go down with what systemd stops along and what would start them, each for the same folders`() throws {
        let found = try UnitSelection.closure(["batch.service": ["PAIE"], "app@SEED.service": ["SEED"]], unit: look)
        #expect(
            found.map(\.unit.name) == [
                "app@SEED.service", "batch.service", "batch.timer", "mail.service", "report.service",
            ])
        #expect(found.first { $0.unit.name == "mail.service" }?.folders == ["PAIE"])
        #expect(found.first { $0.unit.name == "app@SEED.service" }?.folders == ["SEED"])
    }

    @Test func `go down timers first`() throws {
        let found = try UnitSelection.closure(["batch.service": ["PAIE"]], unit: look)
        let holds = found.map { UnitHold(unit: $0.unit.name, isRunning: $0.unit.isRunning, folders: ["PAIE"]) }
        #expect(UnitSelection.waves(holds) == [["batch.timer"], ["batch.service", "mail.service", "report.service"]])
    }

    @Test func `that are patchd's own are never meant`() throws {
        #expect(UnitSelection.isOwn("patchd.service") && UnitSelection.isOwn("patchd-job-1-payroll-SEED.service"))
        let own = Unit(name: "a.service", activity: "active", stoppedAlong: ["patchd.service"])
        let found = try UnitSelection.closure(["a.service": ["PAIE"]]) { name in
            name == "a.service" ? own : Unit(name: name, activity: "active")
        }
        #expect(found.map(\.unit.name) == ["a.service"])
    }

    @Test func `come up again as they were before the first job that stopped them, when the last one ends`() {
        var units = QuiescedUnits()
        units.hold([UnitHold(unit: "a", isRunning: true, folders: ["PAIE"])], endpoint: "payroll")
        units.hold([UnitHold(unit: "a", isRunning: false, folders: ["X"])], endpoint: "other")
        units.hold([UnitHold(unit: "b", isRunning: false, folders: ["PAIE"])], endpoint: "payroll")
        #expect(units.release(endpoint: "payroll", keeping: []) == ["b"])
        #expect(units.units["b"]?.ranBefore == false)
        units.forget(["b"])
        #expect(units.release(endpoint: "other", keeping: []) == ["a"])
        #expect(units.units["a"]?.ranBefore == true)
        units.forget(["a"])
        #expect(units == QuiescedUnits())
    }

    @Test func `of a folder that stays locked stay down, and those held again are not forgotten`() {
        var units = QuiescedUnits()
        units.hold([UnitHold(unit: "app@SEED", isRunning: true, folders: ["SEED"])], endpoint: "payroll")
        #expect(units.release(endpoint: "payroll", keeping: ["SEED"]).isEmpty)
        #expect(units.release(endpoint: "payroll", keeping: []) == ["app@SEED"])
        units.hold([UnitHold(unit: "app@SEED", isRunning: false, folders: ["SEED"])], endpoint: "payroll")
        units.forget(["app@SEED"])
        #expect(units.units["app@SEED"]?.ranBefore == true)
    }
}
