import Foundation
import Testing

/// A program on a pseudo-terminal of its own, and what a person sees there.
final class TerminalProgram {
    private let program: RunningProgram

    /// - Parameters:
    ///   - columns: 0: a terminal that does not know its size.
    ///   - environment: beside `TERM=xterm` and `TZ=UTC`; what is nil there is taken out.
    init(
        _ host: Installation, _ arguments: [String], columns: Int, rows: Int = 24, environment: [String: String] = [:]
    ) throws {
        let words = ([host.program("patchctl")] + host.placed(arguments)).map { "'\($0)'" }.joined(separator: " ")
        program = try RunningProgram(
            "/usr/bin/script",
            ["-qec", "stty cols \(columns) rows \(rows); exec env -u NO_COLOR \(words)", "/dev/null"],
            environment: ["TERM": "xterm", "TZ": "UTC"].merging(environment) { $1 })
    }

    /// All that came, with what moves the cursor.
    var raw: String { program.output }

    func end() -> Int32? { program.end() }

    /// What stands on the screen now.
    var screen: String { Self.screen(after: raw) }

    /// Draws what came: line feeds, carriage returns, and the two movements that patchctl uses.
    static func screen(after text: String) -> String {
        var lines: [String] = [""]
        var row = 0
        var rest = Substring(text.replacing("\r\n", with: "\n"))
        while let character = rest.popFirst() {
            switch character {
            case "\n":
                row += 1
                if row == lines.count { lines.append("") }
            case "\r": lines[row] = ""
            case "\u{1B}":
                let parameters = rest.dropFirst().prefix { $0.isNumber || $0 == ";" }
                rest = rest.dropFirst(1 + parameters.count)
                switch rest.popFirst() {
                case "A": row = max(0, row - (Int(parameters) ?? 1))
                case "J": lines = Array(lines[..<row]) + [""]
                default: break
                }
            default: lines[row].append(character)
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The same with what is another time each time made alike, at the same length.
    static func plain(_ text: String) -> String {
        var text = text
        for (pattern, instead) in [
            ("[0-9]{4}-[0-9]{2}-[0-9]{2}", "YYYY-MM-DD"), ("[0-9]{2}:[0-9]{2}:[0-9]{2} UTC", "HH:MM:SS UTC"),
            ("\\b[0-9]{2}:[0-9]{2}\\b", "HH:MM"), ("\\b[0-9]+ (s|min)\\b", "N s"), ("\\b[0-9a-f]{64}\\b", "SHA256"),
        ] {
            text = text.replacingOccurrences(of: pattern, with: instead, options: .regularExpression)
        }
        return text.trimmingCharacters(in: .newlines) + "\n"
    }

    /// Holds a text against `Fixtures/terminal/NAME.txt`. With `GOLDEN=write` in the environment the file is written anew.
    static func expect(_ text: String, is name: String, _ location: SourceLocation = #_sourceLocation) throws {
        let path = (#filePath as NSString).deletingLastPathComponent + "/../Fixtures/terminal/\(name).txt"
        let plain = plain(text)
        if ProcessInfo.processInfo.environment["GOLDEN"] == "write" {
            try Data(plain.utf8).write(to: URL(fileURLWithPath: path))
        }
        let golden = try String(contentsOfFile: path, encoding: .utf8)
        #expect(plain == golden, "\(name): is\n\(plain)\nand not\n\(golden)", sourceLocation: location)
    }

    /// No line that a terminal of that width would wrap.
    static func expect(_ text: String, fits columns: Int, _ location: SourceLocation = #_sourceLocation) {
        let wide = text.split(whereSeparator: \.isNewline).filter { $0.count > columns }
        #expect(wide == [], sourceLocation: location)
    }
}
