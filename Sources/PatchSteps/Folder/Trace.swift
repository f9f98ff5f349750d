import PatchFiles
import PatchJSON
import PatchModel

/// The record of what a worker does, for people and programs: a JSON object a line. A trace that cannot be written is no reason to stop in
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
        guard let line = try? JSONText.line(self.event(event, step, text)) else { return }
        try? file.write(line + [UInt8(ascii: "\n")])
    }

    /// Several lines of one kind about the folder as a whole, in one write.
    func write(_ event: TraceEvent.Kind, _ texts: [String]) {
        let lines = texts.compactMap { try? JSONText.line(self.event(event, "", $0)) }
        if !lines.isEmpty { try? file.write(lines.flatMap { $0 + [UInt8(ascii: "\n")] }) }
    }

    private func event(_ event: TraceEvent.Kind, _ step: String, _ text: String) -> TraceEvent {
        TraceEvent(
            at: .now, job: order.job, endpoint: order.endpoint, folder: order.plan.folder, step: step, event: event,
            text: text)
    }

    /// Makes durable what was written: before a record after which nobody starts the worker again.
    func sync() { try? file.sync() }
}
