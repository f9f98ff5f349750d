import PatchJSON
import PatchModel
import Testing

@Suite struct `What others wrote` {
    @Test(arguments: [
        ("plain text", "plain text"), ("grün 日本語 ❤️", "grün 日本語 ❤️"), ("a\u{1B}[31mb", "a\\x1b[31mb"),
        ("a\u{7}\u{8}\u{7F}b", "a\\x07\\x08\\x7fb"), ("a\u{9B}31mb", "a\\x9b31mb"), ("a\rb", "a\\x0db"),
        ("gpj.\u{202E}exe", "gpj.\\u{202e}exe"), ("a\u{200B}b\u{2066}c\u{FEFF}", "a\\u{200b}b\\u{2066}c\\u{feff}"),
        ("a\u{2028}b", "a\\u{2028}b"), ("a\u{E0041}b", "a\\u{e0041}b"), ("a\u{3164}b", "a\\u{3164}b"),
        ("a\0b", "a\\x00b"),
    ])
    func `is shown as text, and what is none is escaped`(text: String, shown: String) {
        #expect(Printable.text(text) == shown)
        #expect(Printable.line(text) == shown)
        #expect(Printable.cell(text) == shown)
    }

    @Test func `keeps its lines as a text, and cannot pass for a line of its own in a line`() {
        #expect(Printable.text("one\r\n\ttwo\n") == "one\n\ttwo\n")
        #expect(Printable.line("failed\njob 2: done\r\n") == "failed\n  job 2: done\n  ")
        #expect(Printable.cell("failed\n\tjob 2: done") == "failed  job 2: done")
    }

    @Test func `is escaped as JSON does it in JSON, which says the same afterwards`() {
        let document = "{\n  \"a\" : \"\u{9B}31m\u{202E}\u{E0041}grün\"\n}\n"
        #expect(Printable.json(document) == "{\n  \"a\" : \"\\u009b31m\\u202e\\udb40\\udc41grün\"\n}\n")
        #expect(Printable.json("{\n}\n") == "{\n}\n")
    }

    @Test func `is safe in a trace's line`() throws {
        let event = TraceEvent(
            at: Timestamp(nanoseconds: 0), job: 1, endpoint: "e", folder: "f", step: "script x", event: .output,
            text: "\u{1B}]0;owned\u{7}")
        let line = try #require(TraceLine(JSONText.line(event)[...], after: nil))
        #expect(line.description == "1970-01-01T00:00:00.000Z         | \\x1b]0;owned\\x07")
        #expect(line.line { _ in "now" }.hasPrefix("now "))
    }
}
