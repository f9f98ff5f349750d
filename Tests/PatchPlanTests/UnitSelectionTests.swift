import PatchJSON
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

    @Test
    func
        `take along what a socket, timer or path starts, also where that does not run, and what it never starts again`()
        throws
    {
        let own: [String: Unit] = [
            "web.socket": Unit(name: "web.socket", activity: "active", triggers: ["web.service"]),
            "web.service": Unit(name: "web.service", activity: "active", triggeredBy: ["web.socket"]),
            "night.timer": Unit(name: "night.timer", activity: "active", triggers: ["night.service", "gone.service"]),
            "night.service": Unit(name: "night.service", triggeredBy: ["night.timer"]),
            "talk.socket": Unit(
                name: "talk.socket", activity: "active", triggers: ["talk@1.service"], accepts: true),
            "talk@1.service": Unit(name: "talk@1.service", activity: "active", triggeredBy: ["talk.socket"]),
        ]
        let found = try UnitSelection.closure(
            ["web.socket": ["PAIE"], "night.timer": ["PAIE"], "talk.socket": ["PAIE"]]
        ) { own[$0] ?? Unit(name: $0, exists: false) }
        #expect(
            found.map(\.unit.name) == [
                "night.service", "night.timer", "talk.socket", "talk@1.service", "web.service", "web.socket",
            ])
        #expect(found.filter(\.isConnection).map(\.unit.name) == ["talk@1.service"])
        var units = QuiescedUnits()
        units.hold(found.map(\.hold), endpoint: "payroll")
        #expect(
            units.units.filter(\.value.ranBefore).keys.sorted() == [
                "night.timer", "talk.socket", "web.service", "web.socket",
            ])
        #expect(units.units["web.socket"]?.triggers == ["web.service"])
    }

    @Test func `come up in the order in which they go down: what starts others before them`() {
        #expect(
            UnitSelection.waves(["a.service", "a.socket", "b.automount", "b.mount", "c.path", "d.timer"]) == [
                ["a.socket", "b.automount", "c.path", "d.timer"], ["a.service", "b.mount"],
            ])
        #expect(UnitSelection.waves([String]()) == [])
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

    @Test func `that do not come up stay recorded, for each endpoint that stopped them, until they run`() throws {
        let now = Timestamp.now
        var units = QuiescedUnits()
        units.hold([UnitHold(unit: "a", isRunning: true, folders: ["PAIE"], stopsAlong: ["b"])], endpoint: "payroll")
        units.hold([UnitHold(unit: "a", isRunning: false, folders: ["X"])], endpoint: "other")
        units.hold([UnitHold(unit: "b", isRunning: true, folders: ["PAIE"])], endpoint: "payroll")
        #expect(units.release(endpoint: "payroll", keeping: []) == ["b"])
        #expect(units.down == [:], "nobody tried yet")
        units.fail(["b": "it is failed"], for: "payroll", at: now)
        #expect(units.release(endpoint: "other", keeping: []) == ["a"], "b is none of its business")
        units.fail(["a": "it is failed"], for: "other", at: now)
        #expect(units.need(of: "b", among: ["a", "b"]) == "a")
        #expect(units.down.keys.sorted() == ["a", "b"])
        #expect(units.concerns("payroll") && units.concerns("other") && units.endpoints == ["payroll", "other"])
        // The file is the truth after a restart.
        var read = try JSONText.read(QuiescedUnits.self, JSONText.page(units))
        #expect(read == units)
        // A resumed job stops them again, though they do not run.
        read.hold([UnitHold(unit: "a", isRunning: false, folders: ["PAIE"])], endpoint: "payroll")
        #expect(read.down.keys.sorted() == ["b"])
        #expect(read.release(endpoint: "payroll", keeping: []) == ["a", "b"])
        #expect(read.units["a"]?.ranBefore == true && read.units["a"]?.due?.since == now)
        #expect(read.units["a"]?.due?.endpoints == ["other", "payroll"])
        read.forget(["a", "b"])
        #expect(read == QuiescedUnits())
    }

    @Test func `are read as earlier builds recorded them`() throws {
        let old = #"{"schema":1,"units":{"a":{"ranBefore":true,"holders":[]}},"maintenance":{},"commands":{}}"#
        var units = try JSONText.read(QuiescedUnits.self, Array(old.utf8))
        #expect(units.concerns("payroll") && units.release(endpoint: "payroll", keeping: []) == ["a"])
    }

    @Test func `say why they are not up, but for batch services that are through`() {
        func problem(_ activity: String, _ detail: String = "", result: String = "success", exists: Bool = true)
            -> String?
        {
            Unit(name: "a.service", exists: exists, activity: activity, type: "oneshot", result: result, detail: detail)
                .problem
        }
        #expect(problem("active") == nil && problem("activating") == nil && problem("inactive") == nil)
        #expect(problem("inactive", result: "exit-code") == "it is inactive (exit-code)")
        #expect(problem("activating", "auto-restart", result: "exit-code")?.contains("ends as soon as") == true)
        #expect(problem("deactivating")?.contains("still stopping") == true)
        #expect(problem("failed", exists: false).map { $0.contains("no such unit") } == true)
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
