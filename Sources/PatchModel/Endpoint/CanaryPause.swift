/// How long the other folders of a job wait after its canary; in JSON a number of seconds, or `approval`.
public enum CanaryPause: Hashable, Sendable {
    /// So many seconds; 0: they follow at once.
    case seconds(Double)
    /// Until somebody approves.
    case approval
}

extension CanaryPause: Codable {
    private static let word = "approval"

    /// Reads one.
    ///
    /// - Throws: `DecodingError` for another word.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let seconds = try? container.decode(Double.self) {
            self = .seconds(seconds)
            return
        }
        let text = try container.decode(String.self)
        guard text == Self.word else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is no pause")
        }
        self = .approval
    }

    /// Writes it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .seconds(let seconds): try container.encode(seconds)
        case .approval: try container.encode(Self.word)
        }
    }
}
