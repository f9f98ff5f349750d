import PatchModel

/// The keys whose effect is not built yet. They are known and checked, and refused unless they have their default
/// value: a key that is accepted and does nothing would be a promise that is not kept. A feature that is built removes
/// its line.
///
/// Why: docs/decisions/configuration.md#keys-without-effect-are-refused
enum NotBuilt {
    static let endpoint: [UnbuiltKey<Endpoint>] = []

    static let folder: [UnbuiltKey<Folder>] = [
        UnbuiltKey("database", "only sqlite: is built; leave the database out, or wait for a version that has it") {
            $0.database.map { !$0.hasPrefix("sqlite:") } ?? false
        }
    ]

    static let daemon: [UnbuiltKey<DaemonSettings>] = [
        UnbuiltKey("signature", "signatures are not checked yet, so they cannot be required") {
            $0.signature == .required
        }
    ]

    /// The message for `signature: auto` beside a file of allowed signers.
    static let allowedSigners =
        "\"signature: auto\" requires a signature where this file exists, and signatures are not checked yet; "
        + "move the file away, or set \"signature: off\" in patchd.yaml"
}

/// A key that is refused unless it has its default value.
struct UnbuiltKey<Owner: Sendable>: Sendable {
    /// With the maps around it: `tasks.stop`.
    let key: String
    /// Why, and the way out.
    let message: String
    /// Whether a value asks for the effect, given the defaults.
    let isUsed: @Sendable (_ value: Owner, _ defaults: Owner) -> Bool

    init<Value: Equatable & Sendable>(
        _ key: String, _ value: any KeyPath<Owner, Value> & Sendable,
        _ message: String = "this is not built yet; remove the key or leave it at its default"
    ) {
        self.key = key
        self.message = message
        isUsed = { $0[keyPath: value] != $1[keyPath: value] }
    }

    init(_ key: String, _ message: String, when isUsed: @escaping @Sendable (Owner) -> Bool) {
        self.key = key
        self.message = message
        self.isUsed = { value, _ in isUsed(value) }
    }
}

extension Array {
    /// Reports each key of the table that is used; `place` finds its position.
    func report<Owner>(
        _ value: Owner, defaults: Owner, to problems: Problems, place: (String) -> SourceLocation
    ) where Element == UnbuiltKey<Owner> {
        for unbuilt in self where unbuilt.isUsed(value, defaults) {
            problems.report(at: place(unbuilt.key), "\"\(unbuilt.key)\": \(unbuilt.message)")
        }
    }
}
