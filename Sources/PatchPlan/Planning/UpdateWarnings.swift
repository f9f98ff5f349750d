public import PatchModel

/// Parts of an update that have no effect on an endpoint. `plan`, `test`, `submit` and
/// the job itself report it, not only the vendor's `lint`.
public enum UpdateWarnings {
    /// How many ignored scripts are named.
    private static let shown = 20

    /// A line for each, which begins with its code.
    public static func lines(of update: CheckedUpdate, for endpoint: Endpoint) -> [String] {
        let ignored = update.findings.filter { $0.code == "scriptIgnored" }
        let rest = ignored.count - shown
        return (unknownTypes(in: update.manifest, endpoints: [endpoint]) + ignored.prefix(shown)).map {
            "\($0.code): \($0.place): \($0.message)"
        } + (rest > 0 ? ["scriptIgnored: \(rest) more like these"] : [])
    }

    /// A warning `typeUnknown` for each patch whose type is in no folder's `modules`: the update would set versions and
    /// bring nothing.
    ///
    /// - Parameter endpoints: those that take the update; without any nothing is known.
    public static func unknownTypes(in manifest: Manifest, endpoints: [Endpoint]) -> [Finding] {
        if endpoints.isEmpty { return [] }
        let known = Set(endpoints.flatMap { $0.activeFolders.flatMap(\.modules) })
        return manifest.patches.enumerated().filter { !isKnown($1.type, by: endpoints) }.map {
            .warning(
                "typeUnknown", at: "update.json: patches[\($0)].type",
                "no folder of \(endpoints.map(\.name).joined(separator: ", ")) has the module \"\($1.type)\", so the patch "
                    + "\($1.name) reaches none"
                    + Suggestion.hint(for: $1.type, in: known.sorted() + [Patch.everyFolder]))
        }
    }

    /// Whether a patch of a type reaches a folder at all.
    static func isKnown(_ type: String, by endpoints: [Endpoint]) -> Bool {
        type == Patch.everyFolder || endpoints.contains { $0.activeFolders.contains { $0.modules.contains(type) } }
    }
}
