/// Text of others for a terminal: what vendors wrote and scripts printed may contain control sequences.
public enum Printable {
    /// A text without its control characters, except line feeds and tabs.
    public static func text(_ text: String) -> String {
        let scalars = text.unicodeScalars.filter {
            $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
