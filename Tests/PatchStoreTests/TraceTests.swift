import Foundation
import PatchFiles
import PatchJSON
import PatchModel
import PatchStore
import Testing

@Suite struct `A trace` {
    let store: Store
    private let place = "jobs/1/traces/SEED.jsonl"
    private var state: StateDirectory { store.state }

    init() throws {
        store = try Store()
        try store.state.create(Store.job(1))
    }

    private func line(_ event: TraceEvent.Kind, _ step: String, _ text: String) throws -> String {
        let event = TraceEvent(
            at: Timestamp(Date(timeIntervalSince1970: 0)), job: 1, endpoint: "payroll", folder: "SEED", step: step,
            event: event, text: text)
        // What programs read is the event, whoever decodes it.
        #expect(try JSONText.read(TraceEvent.self, event.line) == event)
        #expect(try StrictJSON.parse(event.line) == StrictJSON.parse(JSONText.line(event)))
        return String(decoding: event.line, as: UTF8.self)
    }

    private func append(_ text: String) throws {
        let file = try state.trace(job: 1, folder: "SEED")
        try file.write(Array(text.utf8))
    }

    private func lines() throws -> [String] {
        var lines: [String] = []
        #expect(try state.forEachTraceLine(job: 1, folder: "SEED") { lines.append($0.description) })
        return lines
    }

    @Test func `is read for people as it was written, whatever stands in it`() throws {
        let text = "a \"quoted\" \\ / tab\t é 😀 \u{1b}[31m \u{7f}"
        try append(try line(.started, "script x", "") + line(.output, "script x", text) + line(.message, "", "m"))
        try append("Fatal error: in no JSON\n" + line(.finished, "script x", ""))
        let at = "1970-01-01T00:00:00.000Z"
        #expect(
            try lines() == [
                "\(at) start   script x", Printable.line("\(at)         | \(text)"), "\(at)         m",
                "\(at)         Fatal error: in no JSON", "\(at) done    script x",
            ])
        #expect(try lines().allSatisfy { !$0.contains("\u{1b}") })
        #expect(try !state.forEachTraceLine(job: 1, folder: "PAIE") { _ in })
    }

    @Test func `is rendered from where that ended last, and anew after a boot or when somebody changed it`() throws {
        try append(try line(.output, "", "one"))
        state.renderTrace(job: 1, folder: "SEED", isOver: false)
        let first = try store.read("jobs/1/traces/SEED.log")
        #expect(first.hasSuffix("| one\n"))
        // A line that is being written comes with the next look.
        let second = try line(.output, "", "two")
        try append(try line(.output, "", "middle"))
        let file = try Directory.open("\(store.path)/jobs/1/traces").appendingFile("SEED.jsonl")
        try file.write(Array(second.utf8.prefix(20)))
        state.renderTrace(job: 1, folder: "SEED", isOver: false)
        #expect(try store.read("jobs/1/traces/SEED.log").hasSuffix("| middle\n"))
        try file.write(Array(second.utf8.dropFirst(20)))
        state.renderTrace(job: 1, folder: "SEED")
        let whole = try store.read("jobs/1/traces/SEED.log")
        #expect(whole.hasPrefix(first) && whole.split(separator: "\n").count == 3 && whole.hasSuffix("| two\n"))
        let notes = try store.read("jobs/1/traces/.SEED.rendered")
        for (changed, log) in [(notes.replacing("boot\":\"", with: "boot\":\"x"), whole), (notes, "short")] {
            try store.write(changed, "jobs/1/traces/.SEED.rendered")
            try store.write(log, "jobs/1/traces/SEED.log")
            state.renderTrace(job: 1, folder: "SEED")
            #expect(try store.read("jobs/1/traces/SEED.log") == whole)
        }
    }

    @Test func `that was cut has its torn line taken off, and is gone on with`() throws {
        try append(try line(.output, "", "one"))
        try store.write(try store.read(place) + "{\"at\":\"19\u{0}\u{0}", place)
        try append(try line(.output, "", "two"))
        #expect(try lines().map { $0.suffix(5) } == ["| one", "| two"])
    }

    @Test(.timeLimit(.minutes(1))) func `that was made 1 TiB long, or is one line, is opened and read in no time`()
        throws
    {
        try append(try line(.output, "", "one"))
        try #require(truncate("\(store.path)/\(place)", 1 << 40) == 0)
        _ = try state.trace(job: 1, folder: "SEED")
        try store.write(try line(.output, "", "one") + String(repeating: "x", count: 1 << 20) + "\n", place)
        let read = try lines()
        #expect(read.count == 2 && read[1].utf8.count < 1 << 18)
    }
}
