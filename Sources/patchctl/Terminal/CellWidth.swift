import PatchModel

/// How many cells of a terminal a text takes: some characters take two, and marks stand on the one before them.
enum CellWidth {
    static func of(_ text: some StringProtocol) -> Int {
        // Almost always.
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.unicodeScalars.reduce(0) { $0 + of($1) }
    }

    /// The beginning of a text that fits; where something is cut off, it ends with `…`.
    static func cut(_ text: String, to width: Int) -> String {
        if of(text) <= width { return text }
        return beginning(of: text, within: max(0, width - 1)) + (width > 0 ? "…" : "")
    }

    /// The most characters that fit.
    static func beginning(of text: some StringProtocol, within width: Int) -> String {
        var (taken, used) = ("", 0)
        for character in text {
            used += of(String(character))
            if used > width { break }
            taken.append(character)
        }
        return taken
    }

    private static func of(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: 0
        default: wide.contains { $0.contains(scalar.value) } ? 2 : 1
        }
    }

    /// East Asian and emoji, as terminals have them.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x231A...0x231B, 0x23E9...0x23EC, 0x2614...0x2615, 0x26AA...0x26AB, 0x2705...0x2705,
        0x274C...0x274C, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF,
        0x20000...0x3FFFD,
    ]
}
