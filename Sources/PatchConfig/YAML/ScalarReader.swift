import PatchModel

/// Reads scalars of the configuration: names, globs, commands, units.
enum ScalarReader {
    private static let unitTypes = [
        "service", "timer", "socket", "path", "target", "mount", "automount", "swap", "slice", "scope", "device",
    ]

    /// Any text, also an empty one.
    static func any(_ text: String) throws(InvalidValue) -> String { text }

    /// One line of text.
    ///
    /// - Throws: ``InvalidValue`` when it is empty or has control characters.
    static func line(_ text: String) throws(InvalidValue) -> String {
        guard !text.isEmpty else { throw InvalidValue("is empty") }
        guard !hasControls(text) else { throw InvalidValue("holds control characters") }
        return text
    }

    /// `true` or `false`.
    ///
    /// - Throws: ``InvalidValue`` for any other word, such as `yes`.
    static func flag(_ text: String) throws(InvalidValue) -> Bool {
        switch text {
        case "true": return true
        case "false": return false
        default:
            let meant = ["yes": "true", "on": "true", "no": "false", "off": "false"][text.lowercased()]
            let hint =
                meant.map { "; did you mean \"\($0)\"?" } ?? Suggestion.hint(for: text, in: ["true", "false"])
            throw InvalidValue("is true or false, not \"\(text)\"" + hint)
        }
    }

    /// The name of an endpoint or folder: `[A-Za-z0-9_-]{1,32}`.
    ///
    /// - Throws: ``InvalidValue`` for anything else.
    static func name(_ text: String) throws(InvalidValue) -> String {
        guard (1...32).contains(text.utf8.count), text.utf8.allSatisfy({ isNameByte($0) }) else {
            throw InvalidValue("is 1 to 32 of the characters A-Z a-z 0-9 _ -, not \"\(text)\"")
        }
        return text
    }

    /// A module, as patches name it in their `type`: `[A-Za-z0-9._-]{1,64}`.
    ///
    /// - Throws: ``InvalidValue`` for anything else; `$ROOT` aims at every folder and is listed nowhere.
    static func module(_ text: String) throws(InvalidValue) -> String {
        guard text != "$ROOT" else {
            throw InvalidValue("cannot be \"$ROOT\": its patches are for every folder; leave it out")
        }
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ isNameByte($0) || $0 == UInt8(ascii: ".") })
        else { throw InvalidValue("is 1 to 64 of the characters A-Z a-z 0-9 . _ -, not \"\(text)\"") }
        return text
    }

    /// A user, group or role.
    ///
    /// - Throws: ``InvalidValue`` when no such name can exist.
    static func account(_ text: String) throws(InvalidValue) -> String {
        let line = try line(text)
        guard !line.contains(where: { $0.isWhitespace || $0 == ":" || $0 == "/" }), !line.hasPrefix("-") else {
            throw InvalidValue("is the name of an account, not \"\(text)\"")
        }
        return line
    }

    /// Where an index of updates lies.
    ///
    /// - Throws: ``InvalidValue`` when it is no URL that updates are fetched from.
    static func source(_ text: String) throws(InvalidValue) -> SourceURL {
        guard let url = SourceURL(text) else {
            throw InvalidValue(
                "is an https: or file: URL without password and fragment, such as https://host/index.json, not \"\(text)\""
            )
        }
        return url
    }

    /// One of a few words.
    ///
    /// - Throws: ``InvalidValue`` when it is another.
    static func word(_ text: String, of words: [String]) throws(InvalidValue) -> String {
        guard words.contains(text) else { throw unknown(text, among: words) }
        return text
    }

    /// The error for a word that is none of a few.
    static func unknown(_ text: String, among words: [String]) -> InvalidValue {
        InvalidValue(
            "is one of \(words.joined(separator: ", ")), not \"\(text)\"" + Suggestion.hint(for: text, in: words))
    }

    /// A glob over names or relative paths.
    ///
    /// - Throws: ``InvalidValue`` when it can match nothing: empty, absolute, an open bracket, a backslash, which no name
    ///   has and which quotes nothing (``Glob``).
    static func glob(_ text: String) throws(InvalidValue) -> String {
        let glob = try line(text)
        guard glob.utf8.count <= Glob.longest else {
            throw InvalidValue("has \(glob.utf8.count) bytes; a glob has at most \(Glob.longest)")
        }
        guard !glob.hasPrefix("/") else {
            throw InvalidValue("is a glob over relative names, \"\(glob)\" begins with \"/\" and matches none")
        }
        guard !glob.contains("\\") else {
            throw InvalidValue(
                "has a backslash, which quotes nothing and is in no name: \"\(glob)\"; \"[*]\" stands for a \"*\"")
        }
        var rest = Substring(glob)
        while let character = rest.popFirst() {
            guard character == "[" else { continue }
            if let first = rest.first, first == "!" || first == "^" { rest.removeFirst() }
            // A bracket that comes first is a member of the set.
            if rest.first == "]" { rest.removeFirst() }
            guard let end = rest.firstIndex(of: "]") else {
                throw InvalidValue("has a \"[\" without its \"]\": \"\(glob)\"")
            }
            rest = rest[rest.index(after: end)...]
        }
        return glob
    }

    /// A glob over the names of updates.
    ///
    /// - Throws: ``InvalidValue`` as ``glob(_:)`` does, and for a slash, which no name has.
    static func nameGlob(_ text: String) throws(InvalidValue) -> String {
        let glob = try glob(text)
        guard !glob.contains("/") else {
            throw InvalidValue("is a glob over names of updates, which have no \"/\": \"\(glob)\"")
        }
        return glob
    }

    /// A unit's name, in which `%f` stands for the folder.
    ///
    /// - Throws: ``InvalidValue`` when no unit can be called so.
    static func unit(_ text: String) throws(InvalidValue) -> String {
        if text.contains(where: { "*?[]".contains($0) }) {
            throw InvalidValue("names one unit, \"\(text)\" is a glob")
        }
        return try unitGlob(text)
    }

    /// A unit's name or a glob over such names; `%f` stands for the folder.
    ///
    /// - Throws: ``InvalidValue`` when no unit can be called so.
    static func unitGlob(_ text: String) throws(InvalidValue) -> String {
        var plain = text
        while let range = plain.firstRange(of: "%f") { plain.removeSubrange(range) }
        guard !plain.contains("%") else {
            throw InvalidValue("knows no other specifier than %f, found \"\(text)\"")
        }
        guard !text.isEmpty, text.utf8.count <= 255,
            plain.utf8.allSatisfy({ isNameByte($0) || ":.\\@*?[]!".utf8.contains($0) })
        else { throw InvalidValue("is a unit's name such as payroll.service, not \"\(text)\"") }
        guard !plain.contains("@.") || text.contains("@%f.") else {
            throw InvalidValue(
                "is a template without an instance: \"\(text)\"; name one, such as "
                    + "\"\(text.replacing("@.", with: "@NAME."))\", or \"\(text.replacing("@.", with: "@%f."))\" for one a folder"
            )
        }
        let type = text.lastIndex(of: ".").map { String(text[text.index(after: $0)...]) }
        if let type, unitTypes.contains(type) || type.contains(where: { "*?[".contains($0) }) { return text }
        guard let type else {
            if text.hasSuffix("*") { return text }
            throw InvalidValue("has no unit type: \"\(text)\"; did you mean \"\(text).service\"?")
        }
        throw InvalidValue("has no unit type that exists: \"\(text)\"" + Suggestion.hint(for: type, in: unitTypes))
    }

    /// A command or nothing.
    ///
    /// - Throws: ``InvalidValue`` when it consists of blanks.
    static func command(_ text: String) throws(InvalidValue) -> String {
        guard text.isEmpty || text.contains(where: { !$0.isWhitespace }) else {
            throw InvalidValue("is a command, found blanks only")
        }
        return text
    }

    /// `auto`, `none` or a command, which begins with an absolute path so that a misspelt word is no command.
    ///
    /// - Throws: ``InvalidValue`` for anything else.
    static func backup(_ text: String) throws(InvalidValue) -> String {
        if ["auto", "none"].contains(text) || text.hasPrefix("/") { return text }
        throw InvalidValue(
            "is auto, none or a command with an absolute path, not \"\(text)\""
                + Suggestion.hint(for: text, in: ["auto", "none"]))
    }

    static func hasControls(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
