/// The rules for relative names in archives and manifests (contract §4, code `entryName`).
public enum EntryName {
    /// Bytes of one component, the limit of Linux file systems.
    public static let maximumComponent = 255

    /// What is wrong with a raw name, for people; nil when it is clean.
    ///
    /// A directory's trailing slash is to be taken off first: here it is an empty component. Length and depth of the whole
    /// name are limits of the host, not of this rule.
    public static func problem(in bytes: some Collection<UInt8>) -> String? {
        let bytes = Array(bytes)
        guard let first = bytes.first else { return "the name is empty" }
        guard let text = String(validating: bytes, as: UTF8.self) else { return "the name is not UTF-8" }
        if let scalar = text.unicodeScalars.first(where: isInvisible) {
            return "the name contains U+\(hexadecimal(scalar)), a control, bidirectional or zero-width character"
        }
        if bytes.contains(UInt8(ascii: "\\")) { return "the name contains a backslash; the separator is /" }
        if first == UInt8(ascii: "/") { return "the name is absolute" }
        if bytes.count > 1, bytes[1] == UInt8(ascii: ":"), isLetter(first) {
            return "the name begins with a drive letter"
        }
        for component in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if let problem = problem(inComponent: component) { return problem }
        }
        return nil
    }

    /// Why an update may not bring a path relative to a folder, for people; nil when it may.
    ///
    /// Reserved are `update.lock` and `registry.json` at the folder's top and `.patchd*` anywhere.
    public static func reservedProblem(inFolder path: String) -> String? {
        let components = ExactText(path).components
        if let top = components.first, [UpdateLock.fileName, "registry.json"].contains(where: top.elementsEqual(of:)) {
            return "\"\(String(decoding: top, as: UTF8.self))\" at a folder's top is patchd's own"
        }
        return components.contains { $0.starts(with: ".patchd".utf8) }
            ? "names that begin with .patchd are patchd's own" : nil
    }

    private static func problem(inComponent component: ArraySlice<UInt8>) -> String? {
        guard let last = component.last else { return "the name has an empty component (// or a slash at its end)" }
        if component.elementsEqual(".".utf8) || component.elementsEqual("..".utf8) {
            return "the name has a component \"\(String(decoding: component, as: UTF8.self))\""
        }
        if last == UInt8(ascii: ".") || last == UInt8(ascii: " ") {
            return "a component of the name ends with a dot or a space"
        }
        return component.count > maximumComponent
            ? "a component of the name has more than \(maximumComponent) bytes" : nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) }

    private static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Controls, C0 with DEL and C1, and the line and paragraph separators, which end a line in logs.
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
        // Bidirectional marks, embeddings, overrides and isolates.
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        // Zero-width spaces and joiners, word joiner and invisible operators, byte order mark.
        case 0x200B...0x200D, 0x2060...0x2064, 0xFEFF, 0x180E: true
        // Deprecated format characters, interlinear annotations, tags.
        case 0x206A...0x206F, 0xFFF9...0xFFFB, 0xE0001, 0xE0020...0xE007F: true
        default: false
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether these are a text's bytes.
    fileprivate func elementsEqual(of text: String) -> Bool { elementsEqual(text.utf8) }
}
