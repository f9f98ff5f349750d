import PatchJSON

/// A checked update as lines: a first one with all but the table of contents, as JSON, then one for each entry, and a last one
/// that says that nothing is missing.
extension CheckedUpdate {
    /// Why lines are no checked update.
    public struct Damage: Error, Sendable, CustomStringConvertible {
        /// For people.
        public var description: String

        /// An error in words.
        public init(_ description: String) { self.description = description }
    }

    /// Writes it.
    public func write(_ emit: ([UInt8]) throws -> Void) throws {
        var small = self
        small.entries = []
        try emit(FieldLine.line(["update", String(decoding: JSONText.line(small), as: UTF8.self)]))
        for entry in entries {
            try emit(
                FieldLine.line([
                    entry.kind.rawValue, entry.path, "\(entry.size)", entry.mode.map { "\($0)" } ?? "", entry.sha256,
                ]))
        }
        try emit(FieldLine.line(["end"]))
    }

    /// Reads its first line.
    ///
    /// - Returns: all but the entries.
    public static func first(_ line: ArraySlice<UInt8>) throws -> CheckedUpdate {
        let fields = FieldLine.fields(line)
        guard fields.count == 2, fields[0] == "update" else { throw Damage("its first line is another") }
        return try JSONText.read(CheckedUpdate.self, Array(fields[1].utf8))
    }

    /// Takes a later line.
    ///
    /// - Returns: whether it was the last one.
    public mutating func take(_ line: ArraySlice<UInt8>) throws -> Bool {
        let fields = FieldLine.fields(line)
        if fields == ["end"] { return true }
        guard fields.count == 5, let kind = ContentEntry.Kind(rawValue: fields[0]), let size = UInt64(fields[2]) else {
            throw Damage("\"\(String(decoding: line.prefix(80), as: UTF8.self))\" is no entry")
        }
        entries.append(
            ContentEntry(path: fields[1], kind: kind, size: size, mode: UInt16(fields[3]), sha256: fields[4]))
        return false
    }
}
