import Glibc
import PatchModel
import Supervisor
import Synchronization

/// A service manager with units that stop and start at once.
final class FakeUnits: Units {
    private struct World {
        var units: [String: Unit] = [:]
        var journal: [String] = []
        var stopProblems: [String: String] = [:]
        var startProblems: [String: String] = [:]
        var onStop: @Sendable ([String]) -> Void = { _ in }
    }

    private let world = Mutex(World())
    private let quiesced: String

    /// - Parameter quiesced: the directory with a file for each unit that is kept down.
    init(quiesced: String) { self.quiesced = quiesced }

    // MARK: What a test says

    func add(_ name: String, runs: Bool = true, triggers: [String] = []) {
        world.withLock { world in
            world.units[name] = Unit(
                name: name, activity: runs ? "active" : "inactive", type: "simple", triggers: triggers,
                conditions: ["ConditionPathExists=!\(quiesced)/\(name)"])
            for other in triggers { world.units[other]?.triggeredBy.append(name) }
        }
    }

    func refuseToStop(_ name: String, _ why: String? = "it does not want to") {
        world.withLock { $0.stopProblems[name] = why }
    }

    func refuseToStart(_ name: String, _ why: String? = "it does not want to") {
        world.withLock { $0.startProblems[name] = why }
    }

    func onStop(_ body: @escaping @Sendable ([String]) -> Void) { world.withLock { $0.onStop = body } }

    // MARK: What happened

    /// `stop NAME`, `start NAME`, in order.
    var journal: [String] { world.withLock { $0.journal } }

    func runs(_ name: String) -> Bool { world.withLock { $0.units[name]?.isRunning == true } }

    // MARK: Units

    var areManaged: Bool { world.withLock { !$0.units.isEmpty } }

    func names(matching glob: String) throws -> [String] {
        let glob = Glob(glob)
        return world.withLock { $0.units.keys.filter { glob.matches($0) }.sorted() }
    }

    func templates(matching glob: String) throws -> [String] { [] }

    func unit(_ name: String) throws -> Unit { world.withLock { $0.units[name] ?? Unit(name: name, exists: false) } }

    func stop(_ names: [String], seconds: Double) throws -> UnitStop {
        world.withLock { $0.onStop }(names)
        return world.withLock { world in
            var stop = UnitStop()
            for name in names {
                world.journal.append("stop \(name)")
                stop.problems[name] = world.stopProblems[name]
                if stop.problems[name] == nil { world.units[name]?.activity = "inactive" }
            }
            return stop
        }
    }

    func start(_ names: [String], seconds: Double) throws -> [String: String] {
        world.withLock { world in
            var problems: [String: String] = [:]
            for name in names {
                world.journal.append("start \(name)")
                let isKeptDown = access("\(quiesced)/\(name)", F_OK) == 0
                problems[name] = isKeptDown ? "its condition failed" : world.startProblems[name]
                world.units[name]?.activity = problems[name] == nil ? "active" : "failed"
                world.units[name]?.result = problems[name] == nil ? "success" : "exit-code"
            }
            return problems
        }
    }

    func reload() throws {}

    func isShuttingDown() -> Bool { false }
}
