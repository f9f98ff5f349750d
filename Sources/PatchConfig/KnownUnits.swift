import PatchModel

/// What the configuration's reader knows of this host's units.
public enum KnownUnits: Sendable {
    /// Units are left alone: endpoints may name any (`--without-systemd`).
    case ignored
    /// No systemd runs here: endpoints that name units are refused.
    case absent
    /// Names of units and unit files; a unit that is none of them is refused.
    case these(Set<String>)

    /// What is wrong with a unit's name; nil when it is fine, or a glob, which may match nothing.
    ///
    /// - Parameter folders: what `%f` stands for.
    func problem(with text: String, folders: [String]) -> String? {
        switch self {
        case .ignored: return nil
        case .absent:
            return "no systemd runs here, so units cannot be stopped; remove them, or give --without-systemd to leave "
                + "units alone"
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
