import ArgumentParser
import Glibc
import PatchJSON
import PatchModel

/// The contract's exit codes.
enum Code: Int32 {
    case fine = 0
    case failed = 1
    case usage = 2
    case nothingToDo = 3
    case refused = 4
    case waiting = 5
    case pendingApproval = 6
    case tooNew = 7
    case tooOld = 8
    case noDaemon = 69

    /// What ends a command without another word.
    var exit: ExitCode { ExitCode(rawValue) }
}

/// Ends a command with a message: what was being done, to what, the cause and the way out.
struct Failure: Error {
    let code: Code
    let message: String

    init(_ code: Code = .failed, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// What is for people and not part of the output, on standard error.
enum Notes {
    static func write(_ text: String) { put(text + "\n", to: STDERR_FILENO) }

    static func error(_ text: String) {
        for line in text.split(separator: "\n") { write("patchctl: \(line)") }
    }

    /// Unbuffered, so that output and notes keep their order.
    fileprivate static func put(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 {
                // Half an answer must not look like a whole one.
                if descriptor == STDOUT_FILENO { Glibc.exit(Code.failed.rawValue) }
                return
            }
            rest = rest.dropFirst(count)
        }
    }
}

/// What a command prints, on standard output.
enum Output {
    static func write(_ text: String) { Notes.put(text + "\n", to: STDOUT_FILENO) }

    /// What is for a terminal only, without a line feed.
    static func draw(_ text: String) { Notes.put(text, to: STDOUT_FILENO) }

    static func json(_ value: some Encodable) throws {
        Notes.put(String(decoding: try JSONText.page(value), as: UTF8.self), to: STDOUT_FILENO)
    }

    /// Columns as wide as they have to be; the last one is not filled up.
    static func table(_ rows: [[String]]) {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            while line.last == " " { line.removeLast() }
            write(paint(line, row: row))
        }
    }

    /// Colour, progress and cursor movement are for terminals that want them.
    static let mayDraw =
        isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
        && (getenv("TERM").map { String(cString: $0) } ?? "dumb") != "dumb"

    /// Failures in red; only on a terminal.
    private static func paint(_ line: String, row: [String]) -> String {
        guard mayDraw else { return line }
        if row.contains(where: { ["failed", "error"].contains($0) }) { return "\u{1B}[31m\(line)\u{1B}[0m" }
        return row.contains(where: { ["behind", "blocked", "updating"].contains($0) })
            ? "\u{1B}[33m\(line)\u{1B}[0m" : line
    }

    /// To the second; `-` for never.
    static func time(_ time: Timestamp?) -> String {
        guard let time else { return "-" }
        return time.description.prefix(19).map { $0 == "T" ? " " : String($0) }.joined()
    }

    static func version(_ version: Version?) -> String { version?.description ?? "unknown" }
}
