import PatchFiles
import PatchJSON
import PatchModel

/// Where a worker tells what it does: a JSON object a line. A trace that cannot be written is no reason to stop in
/// mid-update, so errors are dropped; the ledger is what counts.
final class Trace {
    private let file: File
    private let order: WorkOrder

    init(_ file: consuming File, order: WorkOrder) {
        self.file = file
        self.order = order
    }

    /// - Parameter step: its title; empty when the line is about the folder as a whole.
    func write(_ event: TraceEvent.Kind, step: String = "", _ text: String = "") {
        let event = TraceEvent(
            at: .now, job: order.job, endpoint: order.endpoint, folder: order.plan.folder, step: step, event: event,
            text: text)
        guard let line = try? JSONText.line(event) else { return }
        try? file.write(line + [UInt8(ascii: "\n")])
    }

    /// Makes durable what was told: before a record after which nobody starts the worker again.
    func sync() { try? file.sync() }
}
