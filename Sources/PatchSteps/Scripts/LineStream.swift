import Glibc
import PatchFiles

/// Cuts what comes out of a pipe after its last line feed. A line without an end is cut into pieces, so that it does not
/// grow in memory.
struct LineStream {
    private static let longestLine = 1 << 16
    /// No more is read in one go, so that nobody who prints without end keeps the worker from anything else.
    private static let portion = 1 << 20

    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    /// The beginning of a line whose end has not come.
    private var rest: [UInt8] = []
    private(set) var isAtEnd = false

    /// Reads what is there.
    ///
    /// - Parameter onLines: gets whole lines, each with its line feed.
    mutating func fill(from file: borrowing File, _ onLines: ([UInt8]) -> Void) {
        var left = Self.portion
        while left > 0 {
            let count = read(file.descriptor, &buffer, buffer.count)
            if count == 0 { isAtEnd = true }
            if count <= 0 { return }
            left -= count
            let feed = buffer.withUnsafeBytes { $0.prefix(count).lastIndex(of: UInt8(ascii: "\n")) }
            if let feed {
                onLines(rest + buffer[...feed])
                rest = Array(buffer[(feed + 1)..<count])
            } else {
                rest += buffer[..<count]
                if rest.count >= Self.longestLine { finish(onLines) }
            }
        }
    }

    /// Hands on a last line without a line feed.
    mutating func finish(_ onLines: ([UInt8]) -> Void) {
        if rest.isEmpty { return }
        onLines(rest + [UInt8(ascii: "\n")])
        rest = []
    }
}
