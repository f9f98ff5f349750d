import PatchModel

/// The folders that a job is meant for (contract §6: `exclude` and `only`).
struct Selection {
    /// Active, not excluded, and in `only` where there is one.
    let names: Set<String>

    /// - Parameter hasVersion: Whether a folder is at or above the update's version already.
    /// - Throws: ``Refusal`` with the code `optionsInvalid` when `only` names an inactive folder, one that lies below an
    ///   excluded one, or one whose ancestors would stay below it. A name that this endpoint does not have is no error.
    init(endpoint: Endpoint, options: UpdateOptions, hasVersion: (String) -> Bool) throws(Refusal) {
        let active = endpoint.activeFolders
        let excluded = Set(options.exclude + options.exclude.flatMap(endpoint.descendants))
        let only = options.only.filter { name in endpoint.folders.contains { $0.name == name } }
        let named = Set(only + only.flatMap(endpoint.descendants))

        for name in only {
            guard let folder = active.first(where: { $0.name == name }) else {
                throw OptionsCheck.refusal("only", "the folder \"\(name)\" is inactive, or lies below one that is")
            }
            if excluded.contains(name) {
                throw OptionsCheck.refusal("only", "the folder \"\(name)\" lies below one that is excluded")
            }
            guard folder.role != .test else { continue }
            // Folders between this one and a named ancestor are in that ancestor's subtree.
            if let ancestor = endpoint.ancestors(of: name).first(where: { !hasVersion($0) && !named.contains($0) }) {
                throw OptionsCheck.refusal(
                    "only", "\"\(name)\" would run ahead of \"\(ancestor)\"; name that one too, or raise it first")
            }
        }
        names = Set(
            active.map(\.name).filter { !excluded.contains($0) && (options.only.isEmpty || named.contains($0)) })
    }
}
