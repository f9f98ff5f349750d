import PatchModel

/// What the configuration's reader knows of this host's units.
public enum KnownUnits: Sendable {
    /// Endpoints may name any: units are left alone (`--without-systemd`), or are looked for later.
    case ignored
    /// No systemd runs here: endpoints that name units are refused.
    case absent
    /// Names of units and unit files; one that is none of them is a problem of ``ConfigurationDirectory/check(units:)``.
    case these(Set<String>)

    /// Why no unit may be named at all; nil where some may.
    var refusal: String? {
        guard case .absent = self else { return nil }
        return "no systemd runs here, so units cannot be stopped; remove them, or give --without-systemd to leave "
            + "units alone"
    }

    /// Why this host has no unit of a name; nil where it has one, where that is not known, and for a glob, which may match
    /// later.
    ///
    /// - Parameter folders: what `%f` stands for.
    func missing(_ text: String, folders: [String]) -> String? {
        switch self {
        case .ignored, .absent: return nil
        case .these(let names):
            if text.contains(where: { "*?[".contains($0) }) { return nil }
            let meant = text.contains("%f") ? folders.map { text.replacing("%f", with: $0) } : [text]
            for name in meant where !names.contains(name) && !names.contains(Self.template(of: name)) {
                return "there is no unit \(name)" + Suggestion.hint(for: name, in: names.sorted())
            }
            return nil
        }
    }

    /// `app@.service` for `app@SEED.service`; the name itself when it is no instance.
    private static func template(of name: String) -> String {
        guard let at = name.firstIndex(of: "@"), let dot = name.lastIndex(of: "."), at < dot else { return name }
        return String(name[...at]) + String(name[dot...])
    }
}
