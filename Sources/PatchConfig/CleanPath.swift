import Glibc

/// Paths as the configuration may write them, without links in the text such as `..`.
enum CleanPath {
    /// An absolute path.
    ///
    /// - Throws: ``InvalidValue`` when it is relative, not clean, or `/`.
    static func absolute(_ text: String) throws(InvalidValue) -> String {
        guard text.hasPrefix("/") else { throw InvalidValue("is an absolute path, not \"\(text)\"") }
        guard text != "/" else { throw InvalidValue("cannot be \"/\"") }
        try check(text.dropFirst(), of: text)
        return text
    }

    /// A folder's path: relative to its endpoint's, or absolute.
    ///
    /// - Throws: ``InvalidValue`` when it is not clean.
    static func folder(_ text: String) throws(InvalidValue) -> String {
        guard !text.hasPrefix("/") else { return try absolute(text) }
        try check(Substring(text), of: text)
        return text
    }

    /// The path with its links resolved; the path itself where that is not possible (yet).
    static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// Whether a path is below another.
    static func isBelow(_ path: String, _ other: String) -> Bool { path.hasPrefix(other + "/") }

    private static func check(_ relative: Substring, of text: String) throws(InvalidValue) {
        guard !text.isEmpty else { throw InvalidValue("is empty") }
        guard !ScalarReader.hasControls(text) else { throw InvalidValue("holds control characters") }
        guard text.utf8.count < 4096 else { throw InvalidValue("is longer than a path can be") }
        for component in relative.split(separator: "/", omittingEmptySubsequences: false) {
            switch component {
            case "": throw InvalidValue("has a \"/\" too many: \"\(text)\"")
            case ".", "..": throw InvalidValue("is written without \".\" and \"..\", not \"\(text)\"")
            default:
                guard component.utf8.count <= 255 else {
                    throw InvalidValue("has a component of more than 255 bytes: \"\(text)\"")
                }
            }
        }
    }
}
