import FoundationEssentials

/// Encodes and decodes patchd's own values. JSON from outside is read by ``StrictJSON`` instead.
public enum JSONText {
    /// One line, keys sorted, slashes as they are.
    ///
    /// - Throws: `EncodingError`; patchd's own values do not cause one.
    public static func line(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    /// Several lines for people, with a line feed at the end.
    public static func page(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return Array(try encoder.encode(value)) + [0x0a]
    }

    /// Reads what ``line(_:)`` or ``page(_:)`` wrote; unknown keys are ignored.
    ///
    /// - Throws: `DecodingError`.
    public static func read<Value: Decodable>(_ type: Value.Type, _ bytes: some Sequence<UInt8>) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}
