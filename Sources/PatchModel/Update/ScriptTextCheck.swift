/// Looks through a script's text for what makes it do something else than it says: lines that end in a carriage return,
/// which a shell takes as part of the last word, and a byte order mark, which hides the `#!` line. The text is given in
/// pieces, in their order.
public struct ScriptTextCheck {
    private static let mark: [UInt8] = [0xef, 0xbb, 0xbf]

    private let kind: ScriptName.Kind
    private var start: [UInt8] = []
    private var lines = 1
    private var endsInReturn = false
    private var firstReturn: Int?
    private var isBinary = false

    /// A check of one script.
    public init(_ kind: ScriptName.Kind) { self.kind = kind }

    /// Takes the next piece. What follows a NUL is no text: a program that a script brings along and unpacks.
    public mutating func take(_ block: UnsafeRawBufferPointer) {
        if kind == .sql { return }
        if start.count < Self.mark.count { start += block.prefix(Self.mark.count - start.count) }
        guard kind == .sh, firstReturn == nil, !isBinary else { return }
        for byte in block {
            switch byte {
            case 0:
                isBinary = true
                return
            case UInt8(ascii: "\n"):
                if endsInReturn {
                    firstReturn = lines
                    return
                }
                lines += 1
            default: break
            }
            endsInReturn = byte == UInt8(ascii: "\r")
        }
    }

    /// What is wrong with what was given so far, in words; nil for nothing.
    public var problem: String? {
        if start == Self.mark { return "it begins with a byte order mark, which no interpreter takes; save it without" }
        if let line = firstReturn ?? (endsInReturn && !isBinary ? lines : nil) {
            return
                "line \(line) ends in a carriage return, which the shell takes as part of the line; save it with Unix "
                + "line ends"
        }
        return nil
    }
}
