import PatchJSON

/// A position in a JSON file: `update.json: patches[1].path`.
public struct JSONPath: Hashable, Sendable, CustomStringConvertible {
    /// The file's name.
    public var file: String
    /// Keys and indices from the top; empty for the whole text.
    public var path: String

    /// The top of a file, or a position in it.
    public init(file: String, path: String = "") {
        self.file = file
        self.path = path
    }

    /// The position of a member.
    public func key(_ name: String) -> JSONPath {
        JSONPath(file: file, path: path.isEmpty ? name : "\(path).\(name)")
    }

    /// The position of an element.
    public func index(_ number: Int) -> JSONPath { JSONPath(file: file, path: "\(path)[\(number)]") }

    /// `update.json: patches[1].path`.
    public var description: String { path.isEmpty ? file : "\(file): \(path)" }
}

/// One value of a strictly read JSON file, with its position and the code for refusing it.
public struct JSONReader: Sendable {
    /// The value.
    public let value: JSONValue
    /// Its position.
    public let place: JSONPath
    /// The code of every refusal.
    public let code: RefusalCode

    /// A value at a place.
    public init(_ value: JSONValue, at place: JSONPath, refusedAs code: RefusalCode) {
        self.value = value
        self.place = place
        self.code = code
    }

    /// Reads a whole file.
    ///
    /// - Throws: ``Refusal`` at `FILE: line L, column C` when it is no strict JSON.
    public init(strictJSON bytes: [UInt8], file: String, refusedAs code: RefusalCode) throws(Refusal) {
        do throws(JSONError) {
            value = try StrictJSON.parse(bytes)
        } catch {
            throw Refusal(code, at: "\(file): line \(error.line), column \(error.column)", error.reason)
        }
        place = JSONPath(file: file)
        self.code = code
    }

    /// A refusal of this value.
    public func refusal(_ reason: String) -> Refusal { Refusal(code, at: place.description, reason) }

    /// The members of an object that has certain keys.
    ///
    /// - Throws: ``Refusal`` when it is no object, a required key is missing, or a key is neither required nor optional.
    ///   Keys that begin with `x-` are a vendor's own and left out.
    public func object(required: [String] = [], optional: [String] = []) throws(Refusal) -> [String: JSONReader] {
        let known = required + optional
        let members = try anyObject()
        for name in members.map(\.name) where !known.contains(name) {
            let hint = Suggestion.hint(for: name, in: known)
            throw refusal(
                "unknown key \"\(name)\"\(hint.isEmpty ? "; known are \(known.joined(separator: ", "))" : hint)")
        }
        let found = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
        for name in required where found[name] == nil { throw refusal("the key \"\(name)\" is missing") }
        return found
    }

    /// The members of an object with keys of the file's own choosing, in order; those that begin with `x-` are left out.
    ///
    /// - Throws: ``Refusal`` when it is no object.
    public func anyObject() throws(Refusal) -> [(name: String, value: JSONReader)] {
        guard case .object(let members) = value else { throw mismatch("an object") }
        return members.filter { !$0.name.utf8.starts(with: "x-".utf8) }.map {
            ($0.name, JSONReader($0.value, at: place.key($0.name), refusedAs: code))
        }
    }

    /// The elements of a list.
    ///
    /// - Throws: ``Refusal`` when it is none.
    public func list() throws(Refusal) -> [JSONReader] {
        guard case .array(let values) = value else { throw mismatch("a list") }
        return values.enumerated().map { JSONReader($0.element, at: place.index($0.offset), refusedAs: code) }
    }

    /// A text without control characters.
    ///
    /// - Parameter lines: Whether it may have line breaks and tabs.
    /// - Throws: ``Refusal`` when it is something else.
    public func text(lines: Bool = false) throws(Refusal) -> String {
        guard case .string(let text) = value else { throw mismatch("text") }
        for scalar in text.unicodeScalars where scalar.properties.generalCategory == .control {
            if lines, scalar == "\n" || scalar == "\r" || scalar == "\t" { continue }
            throw refusal("contains the control character U+\(String(scalar.value, radix: 16, uppercase: true))")
        }
        return text
    }

    /// A list of texts, none of them empty.
    ///
    /// - Throws: ``Refusal`` when it is something else.
    public func texts() throws(Refusal) -> [String] {
        var texts: [String] = []
        for element in try list() {
            let text = try element.text()
            guard !text.isEmpty else { throw element.refusal("must not be empty") }
            texts.append(text)
        }
        return texts
    }

    /// A list of patterns, few and short enough to be held against every name of an archive.
    ///
    /// - Throws: ``Refusal``, with the code `limitExceeded` where there are too many or one is too long.
    public func globs() throws(Refusal) -> [String] {
        let globs = try texts()
        guard globs.count <= Glob.most else {
            throw Refusal(
                .limitExceeded, at: place.description, "has \(globs.count) patterns; \(Glob.most) are allowed")
        }
        for (index, glob) in globs.enumerated() where glob.utf8.count > Glob.longest {
            throw Refusal(
                .limitExceeded, at: place.index(index).description,
                "the pattern has \(glob.utf8.count) bytes; \(Glob.longest) are allowed")
        }
        return globs
    }

    /// `true` or `false`.
    ///
    /// - Throws: ``Refusal`` when it is something else, also the texts "true" and "false".
    public func flag() throws(Refusal) -> Bool {
        guard case .bool(let flag) = value else { throw mismatch("true or false") }
        return flag
    }

    /// A whole number, written without fraction or exponent.
    ///
    /// - Throws: ``Refusal`` when it is something else or does not fit.
    public func integer() throws(Refusal) -> Int {
        guard case .number(let text) = value else { throw mismatch("a whole number") }
        guard let integer = Int(text) else { throw refusal("must be a whole number, not \(text.prefix(32))") }
        return integer
    }

    /// A version.
    ///
    /// - Throws: ``Refusal`` when it is something else.
    public func version() throws(Refusal) -> Version {
        let text = try text()
        guard let version = Version(text) else {
            throw refusal(
                "\"\(text.prefix(80))\" is no version: it begins with a digit, consists of 0-9 A-Z a-z . + ~ : -, "
                    + "has at most \(Version.maximumLength) characters and is one that dpkg can compare")
        }
        return version
    }

    private func mismatch(_ wanted: String) -> Refusal { refusal("must be \(wanted), not \(value.kind)") }
}
