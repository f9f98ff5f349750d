import PatchModel

/// The keys whose effect is not built yet. They are known and checked, and refused unless they have their default
/// value: a key that is accepted and does nothing would be a promise that is not kept. A feature that is built removes
/// its line.
///
/// Why: docs/decisions/configuration.md#keys-without-effect-are-refused
enum NotBuilt {
    static let daemon = [
        UnbuiltKey(emptyList: "sources")
    ]
}

/// A key that is refused when it has an effect.
struct UnbuiltKey: Sendable {
    let key: String
    /// Why, and the way out.
    let message: String
    /// Whether the section asks for the effect. Reports a value that is wrong.
    let isUsed: @Sendable (Section) -> Bool

    private static let notBuilt = "this is not built yet; remove the key or leave it at its default"

    init(_ key: String, _ message: String = Self.notBuilt, isUsed: @escaping @Sendable (Section) -> Bool) {
        self.key = key
        self.message = message
        self.isUsed = isUsed
    }

    /// A single value.
    init<Value: Equatable & Sendable>(
        _ key: String, default value: Value, _ parse: @escaping @Sendable (String) throws(InvalidValue) -> Value
    ) {
        self.init(key) { section in section.value(key, parse).map { $0.value != value } ?? false }
    }

    /// A list that is empty by default.
    init(emptyList key: String) { self.init(key) { $0.items(key)?.isEmpty == false } }
}

extension [UnbuiltKey] {
    /// Reports each key of the table that is used in a section.
    func report(in section: Section, to problems: Problems) {
        for unbuilt in self {
            guard let place = section.place(of: unbuilt.key), unbuilt.isUsed(section) else { continue }
            problems.report(at: place, "\"\(unbuilt.key)\": \(unbuilt.message)")
        }
    }
}
