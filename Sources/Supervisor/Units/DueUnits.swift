import Logging
import PatchModel

/// The units that did not come up after a job: they are remembered until they run.
struct DueUnits: Sendable {
    let context: DaemonContext
    let table: QuiescedUnitStore

    /// Forgets those that run by now, by whomever they were started. Meant for each look at the spool, and so once a minute.
    func recheck() async {
        guard context.units.areManaged else { return }
        for name in await table.down {
            do {
                guard try context.units.unit(name).isBack else { continue }
                try await table.forget([name])
                context.logger.log(.unitStarted, "\(name) runs again", EventFields(unit: name))
            } catch {
                context.logger.log(
                    .cannotGoOn, "cannot see whether \(name) runs again: \(error)", EventFields(unit: name))
            }
        }
    }
}
