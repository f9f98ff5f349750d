import Foundation
import PatchModel
import Support
import Testing

struct VersionTests {
    private static func version(_ dice: inout SeededGenerator) -> String {
        let parts = [
            "0", "00", "1", "01", "2", "9", "10", "007", "99999999999999999999", "100000000000000000000", ".", ".",
            ".0",
            "~", "~~", "~rc1", "a", "b", "Z", "alpha", "+", "+b1", "-", "-0", "-1", ".1",
        ]
        var text = ["", "", "", "", "0:", "1:", "00:", "2147483647:", "2147483648:"].randomElement(using: &dice) ?? ""
        text += ["0", "1", "8", "08"].randomElement(using: &dice) ?? "1"
        for _ in 0..<Int.random(in: 0...4, using: &dice) { text += parts.randomElement(using: &dice) ?? "" }
        return String(text.prefix(64))
    }

    /// A second version that often differs by little, or not at all.
    private static func neighbour(of text: String, _ dice: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<6, using: &dice) {
        case 0: text + ".0"
        case 1: text + "-0"
        case 2: text.replacingOccurrences(of: "1", with: "01")
        case 3: text + "~"
        case 4: "0:" + text
        default: version(&dice)
        }
    }

    @Test func `Versions compare as dpkg --compare-versions does`() throws {
        let seed: UInt64 = 20_261_121
        print("versions: seed \(seed)")
        var dice = SeededGenerator(seed: seed)
        var pairs: [(String, String)] = []
        for _ in 0..<3200 {
            let left = Self.version(&dice)
            pairs.append((left, Self.neighbour(of: left, &dice)))
        }
        // One shell for all pairs; what dpkg refuses to compare leaves with 2 or more.
        let script = """
            while read -r a b; do
              dpkg --compare-versions "$a" lt "$b" 2>/dev/null
              case $? in
              0) echo lt ;;
              1) if dpkg --compare-versions "$a" eq "$b" 2>/dev/null; then echo eq; else echo gt; fi ;;
              *) echo bad ;;
              esac
            done < "$1"
            """
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("versions-\(UUID().uuidString)")
        try pairs.map { "\($0.0) \($0.1)\n" }.joined().write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/bash")
        shell.arguments = ["-c", script, "bash", file.path]
        let output = Pipe()
        shell.standardOutput = output
        try shell.run()
        let answers = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(
            separator: "\n")
        shell.waitUntilExit()
        try #require(answers.count == pairs.count)

        var seen: [Substring: Int] = [:]
        for ((a, b), answer) in zip(pairs, answers) {
            seen[answer, default: 0] += 1
            guard let left = Version(a), let right = Version(b) else {
                let isOurs = a.utf8.count > 64 || b.utf8.count > 64
                #expect(answer == "bad" || isOurs, "\(a) against \(b): dpkg says \(answer)")
                continue
            }
            let ours = left < right ? "lt" : left == right ? "eq" : "gt"
            #expect(ours == answer, "\(a) against \(b)")
            #expect((left > right) == (answer == "gt"), "\(a) against \(b), the other way round")
            if left == right { #expect(left.hashValue == right.hashValue, "\(a) and \(b) are equal and hash alike") }
        }
        for answer in ["lt", "eq", "gt", "bad"] {
            #expect(seen[Substring(answer), default: 0] > 30, "too few: \(seen)")
        }
    }

    @Test(arguments: [
        "", "a1", ".1", "-1", "~1", "1 0", "1_0", "1.0\n", "1.é", "1/2", "1-", ":1", "1:", "x:1", "1a:1",
        "2147483648:1",
        "1:-1", String(repeating: "1", count: 65),
    ])
    func `Text that is no version is refused`(_ text: String) {
        #expect(Version(text) == nil)
    }

    @Test func `Sets take spellings of one version as one`() {
        let one = ["1.0", "1.00", "01.0", "1.0-0", "0:1.0", "1.0-00", "1.", "1.-0"].compactMap(Version.init)
        #expect(one.count == 8)
        #expect(Set(one).count == 1)
        #expect(
            Set(["1.0", "1.0~", "1.0a", "1", "1:1.0", "1.0-1", "1.0a0b", "1.0ab"].compactMap(Version.init)).count == 8)
    }

    @Test func `A version is a plain string in JSON`() throws {
        let version = try JSONDecoder().decode([Version].self, from: Data(#"["8.10"]"#.utf8))
        #expect(version.map(\.description) == ["8.10"])
        #expect(String(decoding: try JSONEncoder().encode(version), as: UTF8.self) == #"["8.10"]"#)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Version].self, from: Data(#"["x"]"#.utf8)) }
    }

    @Test(arguments: [
        ("lt", [true, false, false]), ("<", [true, false, false]), ("<<", [true, false, false]),
        ("le", [true, true, false]), ("<=", [true, true, false]), ("eq", [false, true, false]),
        ("=", [false, true, false]),
        ("ne", [true, false, true]), ("ge", [false, true, true]), (">=", [false, true, true]),
        ("gt", [false, false, true]),
        (">", [false, false, true]), (">>", [false, false, true]),
    ])
    func `Relations hold as their signs say`(_ sign: String, _ expected: [Bool]) throws {
        let relation = try #require(VersionRelation(sign))
        let two = try #require(Version("2"))
        #expect(["1", "2", "3"].compactMap(Version.init).map { relation.holds($0, two) } == expected)
    }

    @Test func `An unknown relation is none`() {
        for sign in ["", "==", "LT", "lt-nl", "!="] { #expect(VersionRelation(sign) == nil, "\(sign)") }
    }
}
