import PatchFiles
import PatchModel
import Testing

@testable import PatchSQL

@Suite struct `A comparison of state and database` {
    private let one = StepKey(update: "X3V8_P2", patch: "MAIN", script: "8.0.2.sql")
    private let two = StepKey(update: "X3V8_P2", patch: "BIS", script: "8.0.2.sql")

    private func faults(
        _ state: String?, _ scripts: Set<StepKey>?, database: String?, _ steps: [StepKey: StepMarker.State] = [:],
        underWay: Set<StepKey> = []
    ) throws -> [String] {
        let v802 = try #require(Version("8.0.2"))
        let record = DatabaseRecord(
            version: database.flatMap(Version.init),
            steps: steps.map { StepMarker($0, version: v802, state: $1, job: 1) })
        let comparison = Comparison(
            version: state.flatMap(Version.init), scripts: scripts, record: record, underWay: underWay)
        let found = comparison.faults(of: "payroll/SEED")
        #expect(found.allSatisfy { $0.code == .database && $0.message.contains("baseline payroll/SEED") })
        return found.map(\.message)
    }

    @Test func `finds nothing where both say the same`() throws {
        #expect(try faults("8.0.2", [one, two], database: "8.0.2", [one: .done, two: .assumed]) == [])
        #expect(try faults("8.0.2", nil, database: "8.0.02", [one: .done]) == [])
        #expect(try faults("8.0.2", [], database: nil) == [])
        #expect(try faults(nil, nil, database: "8.0.2") == [])
    }

    @Test func `leaves the scripts of the job under way to it`() throws {
        #expect(try faults("8.0.1", [], database: "8.0.1", [one: .running], underWay: [one]) == [])
        #expect(try faults("8.0.1", [], database: "8.0.1", [one: .done], underWay: [one]) == [])
    }

    @Test func `finds a restored dump by its older version`() throws {
        let found = try faults("8.0.2", [one], database: "8.0.1")
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("payroll/SEED is at 8.0.2, but its database at 8.0.1: an older dump"))
    }

    @Test func `leaves the version of the job under way to it`() throws {
        let (from, to) = (Version("8.0.1"), Version("8.0.2"))
        let record = DatabaseRecord(version: to, steps: [])
        #expect(Comparison(version: from, record: record, coming: to).faults(of: "payroll/SEED") == [])
        #expect(Comparison(version: from, record: record).faults(of: "payroll/SEED").count == 1)
        let third = DatabaseRecord(version: Version("8.0.3"), steps: [])
        #expect(Comparison(version: from, record: third, coming: to).faults(of: "payroll/SEED").count == 1)
    }

    @Test func `says nothing of migrations, which the database alone knows, but of one that was cut`() throws {
        let migration = StepKey(update: "", patch: "$ROOT", script: "1_a.sql")
        #expect(try faults("8.0.2", [], database: "8.0.2", [migration: .done]) == [])
        #expect(try faults("8.0.2", [migration], database: "8.0.2") == [])
        #expect(
            try faults("8.0.2", nil, database: "8.0.2", [migration: .running])[0].contains("migrations/1_a.sql began"))
        let alone = Comparison(version: Version("8.0.2"), scripts: [migration], record: nil)
        #expect(alone.faults(of: "payroll/SEED") == [])
    }

    @Test func `finds somebody else's update by its newer version`() throws {
        #expect(try faults("8.0.2", nil, database: "8.0.10")[0].contains("somebody else updated it"))
    }

    @Test func `finds a dump of the same version in which a script is missing`() throws {
        let found = try faults("8.0.2", [one, two], database: "8.0.2", [one: .done])
        #expect(found.count == 1 && found[0].hasPrefix("BIS/8.0.2.sql ran in payroll/SEED, but"))
    }

    @Test func `finds another folder's dump by a script that never ran here`() throws {
        let found = try faults("8.0.2", [one], database: "8.0.2", [one: .done, two: .done])
        #expect(found.count == 1 && found[0].contains("BIS/8.0.2.sql, which never ran there"))
    }

    @Test func `finds a script that somebody left in the middle`() throws {
        #expect(try faults("8.0.2", nil, database: "8.0.2", [one: .running])[0].contains("began and never ended"))
    }

    @Test func `finds a database without any record only where there should be one`() throws {
        let version = Version("8.0.2")
        #expect(Comparison(version: version, record: nil).faults(of: "payroll/SEED") == [])
        #expect(Comparison(version: version, scripts: [], record: nil).faults(of: "payroll/SEED") == [])
        let many = Set((1...8).map { StepKey(update: "U", patch: "P", script: "\($0).sql") })
        let found = Comparison(version: version, scripts: many, record: nil).faults(of: "payroll/SEED")
        #expect(found.count == 1)
        #expect(found[0].message.contains("P/1.sql, P/2.sql, P/3.sql, P/4.sql, P/5.sql and 3 more"))
    }
}

@Suite struct `An escalation` {
    private func blocker(_ pid: Int32, _ unit: String? = "payroll-app.service", writes: Bool = true) -> Blocker {
        Blocker(pid: pid, started: 1, command: "python3", unit: unit, writes: writes)
    }

    @Test func `asks, waits for grace, ends, and gives up on what stays`() {
        var escalation = Escalation(grace: 30)
        let one = blocker(1)
        #expect(escalation.next([one], at: 0) == .ask([one]))
        #expect(escalation.next([one], at: 2) == .wait)
        #expect(escalation.next([blocker(1, writes: false)], at: 29.9) == .wait)
        #expect(escalation.next([one], at: 30) == .end([one]))
        #expect(escalation.next([one], at: 35) == .wait)
        guard case .giveUp(let why) = escalation.next([one], at: 40) else {
            Issue.record("it goes on")
            return
        }
        #expect(why.contains("python3 (pid 1, payroll-app.service) could not be ended"))
    }

    @Test func `gives one grace: who comes within it has what is left of it, who comes after it is ended at once`() {
        var escalation = Escalation(grace: 30)
        _ = escalation.next([blocker(1)], at: 0)
        #expect(escalation.next([blocker(1), blocker(2)], at: 29) == .ask([blocker(2)]))
        #expect(escalation.next([blocker(1), blocker(2)], at: 30) == .end([blocker(1), blocker(2)]))
        #expect(escalation.next([blocker(3)], at: 31) == .end([blocker(3)]))
        // Nor does the next step give a grace of its own.
        var next = Escalation(grace: 30, askedAt: escalation.askedAt)
        #expect(next.next([blocker(4)], at: 40) == .end([blocker(4)]))
        var early = Escalation(grace: 30, askedAt: escalation.askedAt)
        #expect(early.next([blocker(4)], at: 20) == .ask([blocker(4)]))
    }

    @Test func `does not end for ever those who come again and again, and names who does`() {
        var escalation = Escalation(grace: 5, bound: 30)
        _ = escalation.next([blocker(1)], at: 0)
        #expect(escalation.next([blocker(1)], at: 5) == .end([blocker(1)]))
        var pid: Int32 = 1
        var time = 5.0
        while true {
            (pid, time) = (pid + 1, time + 1)
            let action = escalation.next([blocker(pid)], at: time)
            if action == .end([blocker(pid)]) { continue }
            guard case .giveUp(let why) = action else {
                Issue.record("\(action)")
                return
            }
            #expect(why.contains("python3 (pid \(pid), payroll-app.service) came again"))
            break
        }
        // The first that came was ended at 6.
        #expect(time == 36)
    }

    @Test func `never ends what is spared, and waits for it 30 s longer than for others`() {
        var escalation = Escalation(grace: 5, spare: ["payroll-app.service"])
        _ = escalation.next([blocker(1), blocker(2, "other.service")], at: 0)
        #expect(
            escalation.next([blocker(1), blocker(2, "other.service")], at: 6) == .end([blocker(2, "other.service")]))
        #expect(escalation.next([blocker(1)], at: 34) == .wait)
        guard case .giveUp(let why) = escalation.next([blocker(1)], at: 35) else {
            Issue.record("it goes on")
            return
        }
        #expect(why.contains("spare"))
    }

    @Test func `spares the sessions of a user, whatever they run`() {
        var escalation = Escalation(grace: 0, spare: ["backup"])
        let first = session(7, user: "backup", statement: "COPY a TO stdout")
        let later = session(7, user: "backup", statement: "COPY b TO stdout")
        #expect(escalation.next([first], at: 0) == .ask([first]))
        #expect(escalation.next([later], at: 29) == .wait)
    }

    @Test func `gives a session on a server ten seconds to be gone after it was ended`() {
        var escalation = Escalation(grace: 0, patience: 100)
        _ = escalation.next([session(7)], at: 0)
        #expect(escalation.next([session(7, statement: "COMMIT")], at: 1) == .end([session(7, statement: "COMMIT")]))
        #expect(escalation.next([session(7)], at: 10) == .wait)
        guard case .giveUp(let why) = escalation.next([session(7)], at: 11) else {
            Issue.record("it goes on")
            return
        }
        #expect(why.contains("psql (session 7, user app)"))
    }

    @Test func `does not try to end what belongs to no session`() {
        var escalation = Escalation(grace: 5)
        var prepared = session(0)
        prepared.session?.canBeEnded = false
        prepared.command = "prepared transaction 'pay'"
        #expect(escalation.next([prepared], at: 0) == .ask([prepared]))
        guard case .giveUp(let why) = escalation.next([prepared], at: 5) else {
            Issue.record("it goes on")
            return
        }
        #expect(why.contains("prepared transaction 'pay'"))
    }

    private func session(_ id: Int, user: String = "app", statement: String = "") -> Blocker {
        Blocker(
            pid: nil, command: "psql", writes: true,
            session: DatabaseSession(id: "\(id)", began: "1", user: user, statement: statement))
    }

    @Test func `waits for who cannot be seen, but not for ever`() {
        var escalation = Escalation(grace: 30)
        #expect(escalation.next([], at: 0) == .wait)
        #expect(escalation.next([], at: 39) == .wait)
        guard case .giveUp = escalation.next([], at: 40) else {
            Issue.record("it goes on")
            return
        }
    }

    @Test func `may stop a service, but neither a session nor a user's manager`() {
        #expect(blocker(1, "payroll-app@SEED.service").stoppableUnit == "payroll-app@SEED.service")
        #expect(blocker(1, "session-3.scope").stoppableUnit == nil)
        #expect(blocker(1, "user@1000.service").stoppableUnit == nil)
        #expect(blocker(1, nil).stoppableUnit == nil)
    }
}

@Suite struct `A process's unit` {
    @Test(arguments: [
        ("0::/system.slice/payroll-app.service", "payroll-app.service"),
        ("0::/system.slice/system-payroll.slice/payroll-app@SEED.service/worker", "payroll-app@SEED.service"),
        ("0::/user.slice/user-1000.slice/session-3.scope", "session-3.scope"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "user@1000.service"),
        ("12:pids:/x\n1:name=systemd:/system.slice/cron.service\n0::/\n", "cron.service"),
        ("0::/system.slice/_odd.service", "odd.service"),
        ("9:name=systemd:/\n0::/", nil),
        ("0::/process_api/123", nil),
        ("", nil),
    ])
    func `is read from its control group`(text: String, unit: String?) {
        #expect(RunningProcess.unit(inCgroups: text) == unit)
    }
}
