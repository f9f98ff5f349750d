/// What is for people and not part of the output, on standard error.
enum Notes {
    static func line(_ text: String) { Stream.notes.line(text) }

    static func text(_ text: String) { Stream.notes.text(text) }

    /// With the program that has the error in front.
    static func error(_ text: String) { Stream.notes.line("patchctl: \(text)") }
}
