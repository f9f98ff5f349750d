import PatchFiles
import PatchModel

/// The record of what a worker does, for people and programs: a JSON object a line. A trace that cannot be written is no reason to stop in
/// mid-update, so errors are dropped; the ledger is what counts.
final class Trace {
    /// Bytes of a trace from which on what scripts print is left out: it fills the disk of the state.
    static let outputLimit: Int64 = 64 << 20
    /// Bytes of an event's text.
    static let textLimit = 16 << 10

    private let file: File
    private let order: WorkOrder
    private var size: Int64
    private var isFull = false

    init(_ file: consuming File, order: WorkOrder) {
        size = (try? file.status().size) ?? 0
        self.file = file
        self.order = order
    }

    /// - Parameter step: its title; empty when the line is about the folder as a whole.
    func write(_ event: TraceEvent.Kind, step: String = "", _ text: String = "") {
        if event == .output, size >= Self.outputLimit {
            if !isFull { put(.message, step, ["the trace has \(size >> 20) MiB; further output is left out"]) }
            isFull = true
            return
        }
        put(event, step, [text])
    }

    /// Several lines of one kind about the folder as a whole, in one write.
    func write(_ event: TraceEvent.Kind, _ texts: [String]) { put(event, "", texts) }

    /// That steps are finished, in one write.
    func write(finished steps: [PlannedStep]) { put(steps.map { event(.finished, $0.title, "") }) }

    private func put(_ event: TraceEvent.Kind, _ step: String, _ texts: [String]) {
        put(texts.map { self.event(event, step, $0) })
    }

    private func put(_ events: [TraceEvent]) {
        if events.isEmpty { return }
        var bytes: [UInt8] = []
        for event in events { bytes += event.line }
        size += Int64(bytes.count)
        try? file.write(bytes)
    }

    private func event(_ event: TraceEvent.Kind, _ step: String, _ text: String) -> TraceEvent {
        let isLong = text.utf8.count > Self.textLimit
        return TraceEvent(
            at: .now, job: order.job, endpoint: order.endpoint, folder: order.plan.folder, step: step, event: event,
            text: isLong ? String(decoding: text.utf8.prefix(Self.textLimit), as: UTF8.self) + " …" : text)
    }

    /// Makes durable what was written: before a record after which nobody starts the worker again.
    func sync() { try? file.sync() }
}
