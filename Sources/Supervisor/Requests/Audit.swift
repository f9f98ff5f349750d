import Logging
import PatchModel
import PatchStore

extension DaemonContext {
    /// Records what somebody asked for. An audit record that cannot be written is logged and stops no request.
    func audit(_ records: AuditRecord...) { audit(records) }

    /// Records several at once.
    func audit(_ records: [AuditRecord]) {
        guard let first = records.first else { return }
        do throws(StoreError) {
            let limit = configuration.daemon.limits.audit
            guard try auditLog.append(records, to: state, limit: limit) else { return }
            logger.log(
                .auditDamaged,
                "the line before the last in \(state.path)/audit.jsonl is damaged; what follows is written all the same"
            )
        } catch {
            logger.log(
                .auditDamaged,
                "cannot record in \(state.path)/audit.jsonl what uid \(first.uid) asked for (\(first.command), \(first.request)): \(error)"
            )
        }
    }
}
