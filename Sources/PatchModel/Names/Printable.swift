/// What others wrote, for people to read: a vendor's text, and what a script said, may hold what commands a terminal.
public enum Printable {
    /// A text without its control characters, but for line feeds and tabs.
    public static func text(_ text: String) -> String {
        let scalars = text.unicodeScalars.filter {
            $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
