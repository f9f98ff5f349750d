public import PatchModel

/// Compares options with the update and the endpoints (contract §6).
public enum OptionsCheck {
    /// Refuses options that name what does not exist or contradict the update.
    ///
    /// - Parameters:
    ///   - options: What was asked for.
    ///   - manifest: Of the update.
    ///   - endpoints: All of this host that the options may speak of.
    /// - Throws: ``Refusal`` with the code `optionsInvalid`: an unknown endpoint, folder or patch, a folder in `exclude` and
    ///   `only` alike, a mandatory patch switched off. A folder that only one of several endpoints has is no error, nor is a
    ///   mandatory patch switched on.
    public static func check(_ options: UpdateOptions, against manifest: Manifest, endpoints: [Endpoint])
        throws(Refusal)
    {
        let names = endpoints.map(\.name)
        for name in options.endpoints ?? [] where !names.contains(name) {
            throw refusal("endpoints", "there is no endpoint \"\(name)\" here\(Suggestion.hint(for: name, in: names))")
        }
        let chosen = endpoints.filter { options.endpoints?.contains($0.name) ?? true }
        let folders = chosen.flatMap { $0.folders.map(\.name) }
        for (key, list) in [("exclude", options.exclude), ("only", options.only)] {
            for name in list where !folders.contains(name) {
                let hint = Suggestion.hint(for: name, in: folders)
                throw refusal(key, "no endpoint that is meant has a folder \"\(name)\"\(hint)")
            }
        }
        for name in options.only where options.exclude.contains(name) {
            throw refusal("only", "the folder \"\(name)\" is excluded and asked for at once")
        }
        for (name, isOn) in options.patches.sorted(by: { $0.key < $1.key }) {
            guard let patch = manifest.patches.first(where: { $0.name == name }) else {
                let hint = Suggestion.hint(for: name, in: manifest.patches.map(\.name))
                throw refusal("patches", "\(manifest.name) has no patch \"\(name)\"\(hint)")
            }
            if patch.mandatory, !isOn {
                throw refusal("patches", "the patch \"\(name)\" is mandatory and cannot be switched off")
            }
        }
    }

    static func refusal(_ key: String, _ reason: String) -> Refusal {
        Refusal(.optionsInvalid, at: "options: \(key)", reason)
    }
}
