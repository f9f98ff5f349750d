import Glibc
import PatchFiles
import PatchModel

/// What a step prints, on its way to the trace: the beginning and the end of it, up to a limit. What lies between is only
/// counted, so that a script that prints without end is slowed down by nobody and fills no disk.
final class ScriptOutput {
    /// The first lines are an event each; later ones that come together share one, as an event costs ten times a line.
    private static let singleLines = 1000
    /// As much as an event holds for certain: a byte that is no text becomes three.
    private static let bundle = Trace.textLimit / 3
    /// Seconds; who watches is to see something.
    private static let longestWait = 1.0

    private let trace: Trace
    private let title: String
    private let headLimit: Int
    private let tailLimit: Int
    private var lines = 0
    private var total = 0
    private var kept = 0
    /// Lines that wait for others to share an event with.
    private var pending: [UInt8] = []
    /// When they were written last.
    private var flushed = MonotonicClock.seconds
    /// The end, and up to as much again before it; nil while the beginning is not full.
    private var tail: [UInt8]?

    init(_ trace: Trace, title: String, limit: Int) {
        self.trace = trace
        self.title = title
        headLimit = limit / 2
        tailLimit = limit - limit / 2
    }

    /// Takes one line.
    func write(_ line: String) { take(Array(line.utf8) + [UInt8(ascii: "\n")]) }

    /// Takes whole lines, each with its line feed.
    func take(_ bytes: [UInt8]) {
        total += bytes.count
        if tail != nil { return keep(bytes[...]) }
        Self.forEachLine(bytes) { line in
            let length = line.count + 1
            guard tail == nil, kept + length <= headLimit else { return keep(line + [UInt8(ascii: "\n")]) }
            kept += length
            emit(line)
        }
    }

    private func keep(_ bytes: ArraySlice<UInt8>) {
        if tail == nil { tail = [] }
        tail?.append(contentsOf: bytes)
        if let count = tail?.count, count > 2 * tailLimit { tail?.removeFirst(count - tailLimit) }
    }

    /// One line, in pieces where it is too long for an event.
    private func emit(_ line: ArraySlice<UInt8>) {
        var rest = line
        while rest.count > Self.bundle {
            var end = rest.startIndex + Self.bundle
            // Not within a character, which has at most four bytes.
            for _ in 0..<3 where rest[end] & 0xC0 == 0x80 { end -= 1 }
            emitPiece(rest[..<end])
            rest = rest[end...]
        }
        emitPiece(rest)
    }

    private func emitPiece(_ line: ArraySlice<UInt8>) {
        lines += 1
        if lines <= Self.singleLines {
            return trace.write(.output, step: title, String(decoding: line, as: UTF8.self))
        }
        if pending.count + line.count > Self.bundle { flush() }
        pending += line
        pending.append(UInt8(ascii: "\n"))
        if pending.count >= Self.bundle || MonotonicClock.seconds >= flushed + Self.longestWait { flush() }
    }

    /// Writes what waits for more lines.
    func flush() {
        flushed = MonotonicClock.seconds
        if pending.isEmpty { return }
        trace.write(.output, step: title, String(decoding: pending.dropLast(), as: UTF8.self))
        pending.removeAll(keepingCapacity: true)
    }

    /// Writes what is left, with the number of bytes that were left out.
    func finish() {
        defer { flush() }
        guard var end = tail else { return }
        tail = nil
        if end.count > tailLimit { end.removeFirst(end.count - tailLimit) }
        // A line of which the beginning is gone.
        if kept + end.count < total, let feed = end.firstIndex(of: UInt8(ascii: "\n")), feed + 1 < end.count {
            end.removeFirst(feed + 1)
        }
        flush()
        let left = total - kept - end.count
        if left > 0 { trace.write(.output, step: title, "… \(left) bytes left out (limits: output) …") }
        Self.forEachLine(end, emit)
    }

    private static func forEachLine(_ bytes: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
        var start = 0
        while start < bytes.count {
            let end = bytes.withUnsafeBytes { buffer -> Int in
                let from = buffer.baseAddress.map { $0 + start }
                guard let from, let found = memchr(from, Int32(UInt8(ascii: "\n")), buffer.count - start) else {
                    return buffer.count
                }
                return start + (UnsafeRawPointer(found) - from)
            }
            body(bytes[start..<end])
            start = end + 1
        }
    }
}
