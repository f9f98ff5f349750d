/// A line of fields with tabs between them: how ledgers, plans, orders and tables of contents are kept. Each line is read
/// for itself, so that no file has to be decoded as one tree, and there is no nesting to bound.
public enum FieldLine {
    private static let tab = UInt8(ascii: "\t")
    private static let feed = UInt8(ascii: "\n")
    private static let escape = UInt8(ascii: "\\")

    /// Appends the fields, without a line feed. Tabs, line feeds and backslashes in them are escaped.
    public static func append(_ fields: some Sequence<String>, to line: inout [UInt8]) {
        var isFirst = true
        for field in fields {
            if !isFirst { line.append(tab) }
            isFirst = false
            for byte in field.utf8 {
                switch byte {
                case tab: line += [escape, UInt8(ascii: "t")]
                case feed: line += [escape, UInt8(ascii: "n")]
                case escape: line += [escape, escape]
                default: line.append(byte)
                }
            }
        }
    }

    /// The fields as a line with its line feed.
    public static func line(_ fields: some Sequence<String>) -> [UInt8] {
        var line: [UInt8] = []
        append(fields, to: &line)
        line.append(feed)
        return line
    }

    /// The fields of a line without its line feed.
    public static func fields(_ line: ArraySlice<UInt8>) -> [String] {
        line.split(separator: tab, omittingEmptySubsequences: false).map { raw in
            guard raw.contains(escape) else { return String(decoding: raw, as: UTF8.self) }
            var bytes: [UInt8] = []
            var isEscaped = false
            for byte in raw {
                if isEscaped {
                    bytes.append(byte == UInt8(ascii: "t") ? tab : byte == UInt8(ascii: "n") ? feed : byte)
                    isEscaped = false
                } else if byte == escape {
                    isEscaped = true
                } else {
                    bytes.append(byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
