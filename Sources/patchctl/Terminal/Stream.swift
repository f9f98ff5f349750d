import Glibc
import PatchJSON
import PatchModel

/// Standard output or standard error: the only way to a terminal. Whatever is shown was written by somebody else in part
/// (names of files and processes, messages of databases, texts of vendors), so all of it is made printable here, and no
/// other file writes to these descriptors (`Tests/ArchitectureTests`).
struct Stream: Sendable {
    private let descriptor: Int32

    static let output = Stream(descriptor: STDOUT_FILENO)
    static let notes = Stream(descriptor: STDERR_FILENO)

    /// How a line is shown where colours are wanted.
    enum Colour: String {
        case none = ""
        case red = "\u{1B}[31m"
        case yellow = "\u{1B}[33m"
        case green = "\u{1B}[32m"
    }

    /// One line; one within it begins indented.
    func line(_ text: String, _ colour: Colour = .none) { put(painted(Printable.line(text), colour) + "\n") }

    /// A text of several lines, as it is.
    func text(_ text: String) { put(Printable.text(text) + "\n") }

    /// A value as a JSON document.
    func json(_ value: some Encodable) throws {
        put(Printable.json(String(decoding: try JSONText.page(value), as: UTF8.self)))
    }

    /// Draws lines over as many that were drawn before.
    func redraw(_ lines: [Line], over count: Int) {
        let back = count > 0 ? "\u{1B}[\(count)A\u{1B}[J" : ""
        put(back + lines.map { painted(Printable.cell($0.text), $0.colour) + "\n" }.joined())
    }

    private func painted(_ text: String, _ colour: Colour) -> String {
        guard colour != .none, Screen.mayDraw else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "\(colour.rawValue)\($0)\u{1B}[0m" }.joined(separator: "\n")
    }

    /// Unbuffered, so that output and notes keep their order.
    private func put(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 {
                // Half an answer must not look like a whole one.
                if descriptor == STDOUT_FILENO { Glibc.exit(ExitStatus.failed.rawValue) }
                return
            }
            rest = rest.dropFirst(count)
        }
    }
}
