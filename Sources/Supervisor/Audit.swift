import Logging
import PatchModel
import PatchStore

extension Host {
    /// Records what somebody asked for. An audit that cannot be written stops nobody; that is told.
    func audit(_ record: AuditRecord) {
        do throws(StoreError) {
            guard try state.append(record) else { return }
            log.tell(
                .auditDamaged,
                "the line before the last in \(state.path)/audit.jsonl is damaged; what follows is written all the same"
            )
        } catch {
            log.tell(
                .auditDamaged,
                "cannot record in \(state.path)/audit.jsonl what uid \(record.uid) asked for (\(record.command), \(record.request)): \(error)"
            )
        }
    }
}
