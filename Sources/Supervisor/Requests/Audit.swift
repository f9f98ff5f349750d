import Logging
import PatchModel
import PatchStore
import Synchronization

extension DaemonContext {
    /// Users' drops are taken side by side, and requests are answered meanwhile: one line after the other.
    private static let writing = Mutex(())

    /// Records what somebody asked for. An audit that cannot be written stops nobody; that is told.
    func audit(_ record: AuditRecord) {
        do throws(StoreError) {
            let isDamaged = try Self.writing.withLock { (_) throws(StoreError) in try state.append(record) }
            guard isDamaged else { return }
            logger.log(
                .auditDamaged,
                "the line before the last in \(state.path)/audit.jsonl is damaged; what follows is written all the same"
            )
        } catch {
            logger.log(
                .auditDamaged,
                "cannot record in \(state.path)/audit.jsonl what uid \(record.uid) asked for (\(record.command), \(record.request)): \(error)"
            )
        }
    }
}
