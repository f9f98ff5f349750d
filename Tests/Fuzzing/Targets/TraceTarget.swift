import PatchModel

/// A trace, which a folder's owner may write as he likes: what an admin's terminal gets has no control characters.
enum TraceTarget {
    static func run(_ bytes: [UInt8]) throws {
        var before: TraceLine?
        for line in bytes.lines {
            guard let read = TraceLine(line[...], after: before) else { continue }
            before = read
            let isShown = read.description.unicodeScalars.allSatisfy {
                $0 == "\n" || $0 == "\t" || Printable.isShown($0)
            }
            try hold(isShown, "a trace with control characters")
        }
    }
}
