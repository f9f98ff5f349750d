import Testing

@testable import PatchModel

@Suite struct GlobTests {
    /// What a pattern means, by trying everything.
    private func naive(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>, atStart: Bool = true) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        if first == "*" {
            let stars = pattern.prefix { $0 == "*" }.count
            let behind = pattern.dropFirst(stars)
            if stars > 1, atStart, behind.first == "/" {
                let next = behind.dropFirst()
                if naive(next, text) { return true }
                return text.indices.contains { text[$0] == "/" && naive(next, text[($0 + 1)...]) }
            }
            for end in text.startIndex...text.endIndex {
                if naive(behind, text[end...], atStart: false) { return true }
                if end < text.endIndex, stars == 1, text[end] == "/" { return false }
            }
            return false
        }
        guard let scalar = text.first else { return false }
        let isMatch = first == "?" ? scalar != "/" : first == scalar
        return isMatch && naive(rest, text.dropFirst(), atStart: first == "/")
    }

    @Test func `every short pattern over stars, letters and slashes means what its stars say`() {
        let letters: [Character] = ["a", "/", "*", "?"]
        let texts: [String] = (0...4).flatMap { words(["a", "b", "/"], length: $0) }
        for pattern in (1...5).flatMap({ words(letters, length: $0) }) {
            let glob = Glob(pattern)
            for text in texts {
                let expected = naive(Array(pattern)[...], Array(text)[...])
                guard glob.matches(text) == expected else {
                    Issue.record("\(pattern) and \(text): \(expected) expected")
                    return
                }
            }
        }
    }

    private func words(_ letters: [Character], length: Int) -> [String] {
        length == 0 ? [""] : words(letters, length: length - 1).flatMap { word in letters.map { word + String($0) } }
    }

    @Test func `a character of a text costs one step for 64 tokens of the pattern, whatever the pattern is`() {
        let parts = ["*a", "**a", "?*", "**/", "**/*a", "a*b", "*?", "[a-z]*", "*a/", "[!b]", "*aaaaaaaaaaaaaaaaab"]
        for part in parts {
            let pattern = String(
                String(repeating: part, count: Glob.longest / part.utf8.count + 1).prefix(Glob.longest))
            let bound = pattern.unicodeScalars.count / 64 + 1
            for letter in ["a", "/", "a/", "b", "é"] {
                let text = String(repeating: letter, count: 1024)
                var steps = 0
                _ = Glob(pattern).matches(text, steps: &steps)
                #expect(steps <= text.unicodeScalars.count * bound, "\(part) \(letter)")
            }
        }
    }

    @Test func `150 patterns of many stars over 2,000 names end after few steps`() {
        let globs = (0..<150).map { Glob(String(repeating: "*a", count: 200) + "*\($0)b") }
        let names = (0..<2000).map { String(repeating: "a", count: 200) + "\($0)" }
        var steps = 0
        for name in names { for glob in globs { _ = glob.matches(name, steps: &steps) } }
        // None ends with a b: the literal end of the pattern rejects them at once.
        #expect(steps == 0)
        // At worst 8 words a character.
        for name in names.prefix(20) { for glob in globs { _ = glob.matches(name + "b", steps: &steps) } }
        #expect(steps <= 20 * 150 * 205 * 7)
    }

    @Test func `sets hold characters beyond ASCII, and negated ones no slash`() {
        #expect(Glob("[à-ü]x").matches("éx") && !Glob("[à-ü]x").matches("ax"))
        #expect(Glob("[!à-ü]x").matches("ax") && !Glob("[!à-ü]x").matches("/x") && !Glob("[!a]").matches("a"))
        #expect(Glob("[+-0]x").matches("/x") == false)
        #expect(Glob(String(repeating: "?", count: 200)).matches(String(repeating: "é", count: 200)))
        #expect(Glob(String(repeating: "a", count: 64) + "*").matches(String(repeating: "a", count: 64)))
        #expect(Glob(String(repeating: "a", count: 63) + "**/*/b").matches(String(repeating: "a", count: 63) + "x/c/b"))
    }
}
