import FoundationEssentials

/// The lines of an `allowed_signers` file (ssh-keygen(1)), as far as an admin needs to know what `ssh-keygen` will not read as it
/// was meant. Who may sign is decided by `ssh-keygen` alone.
struct AllowedSigners {
    /// What a line is said to be wrong with.
    struct Problem: Hashable {
        /// From 1.
        var line: Int
        var message: String
    }

    private let lines: [(number: Int, text: String)]

    init(_ bytes: [UInt8]) {
        let all = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        lines = all.enumerated().compactMap { index, line in
            let text = String(decoding: line, as: UTF8.self).trimmed
            return text.isEmpty || text.hasPrefix("#") ? nil : (index + 1, text)
        }
    }

    /// Whether there is any line that is no comment.
    var hasLines: Bool { !lines.isEmpty }

    /// What `ssh-keygen` passes over, with the reason.
    var problems: [Problem] {
        lines.compactMap { line in Self.problem(in: line.text).map { Problem(line: line.number, message: $0) } }
    }

    private static func problem(in line: String) -> String? {
        guard let fields = fields(of: line) else { return "a quote does not end" }
        var rest = fields.dropFirst()
        if let options = rest.first, !isKeyType(options) {
            if let problem = problem(inOptions: options) { return problem }
            rest = rest.dropFirst()
        }
        guard let type = rest.popFirst(), let key = rest.first else {
            return
                "it has no key: a line is PRINCIPALS [OPTIONS] TYPE KEY, such as \"vendor@example.com ssh-ed25519 AAAA…\""
        }
        guard isKeyType(type) else { return "\"\(type)\" is no type of a key" }
        // A public key begins with the length of its type, and the type.
        let name = Array(type.utf8)
        guard let blob = Data(base64Encoded: key), name.count < 256, blob.count > 4 + name.count,
            blob.prefix(4).elementsEqual([0, 0, 0, UInt8(name.count)]),
            blob.dropFirst(4).prefix(name.count).elementsEqual(name)
        else { return "what follows \"\(type)\" is no public key of that type" }
        return nil
    }

    private static func isKeyType(_ field: String) -> Bool {
        !field.contains("=") && ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].contains { field.hasPrefix($0) }
    }

    private static func problem(inOptions options: String) -> String? {
        for option in split(options, at: [","]) ?? [] {
            let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
            let (name, value) = (parts.first?.lowercased() ?? "", parts.count > 1 ? parts[1] : nil)
            switch (name, value) {
            case ("cert-authority", nil): continue
            case ("namespaces", let value?) where isQuoted(value): continue
            case ("valid-after", let value?), ("valid-before", let value?):
                guard isQuoted(value), isTime(value.dropFirst().dropLast()) else {
                    return "\"\(name)\" is a time in quotes, YYYYMMDD or YYYYMMDDHHMM[SS], with Z behind it for UTC"
                }
            default:
                return "\"\(option)\" is no option: there are cert-authority, namespaces=\"…\", valid-after=\"…\" and "
                    + "valid-before=\"…\""
            }
        }
        return nil
    }

    private static func isQuoted(_ value: String) -> Bool {
        value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
    }

    private static func isTime(_ text: Substring) -> Bool {
        let digits = text.hasSuffix("Z") ? text.dropLast() : text
        return [8, 12, 14].contains(digits.utf8.count) && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func fields(of line: String) -> [String]? { split(line, at: [" ", "\t"]) }

    /// The pieces between separators that stand outside quotes; nil where a quote does not end.
    private static func split(_ text: String, at separators: Set<Character>) -> [String]? {
        var (pieces, piece, isInside) = ([String](), "", false)
        for character in text {
            if character == "\"" { isInside.toggle() }
            if !isInside, separators.contains(character) {
                if !piece.isEmpty { pieces.append(piece) }
                piece = ""
            } else {
                piece.append(character)
            }
        }
        if !piece.isEmpty { pieces.append(piece) }
        return isInside ? nil : pieces
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = Substring(self)
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" || last == "\r" || last == "\r\n" { text.removeLast() }
        return String(text)
    }
}
