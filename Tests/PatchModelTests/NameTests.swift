import PatchModel
import Testing

struct NameTests {
    @Test(arguments: [
        "a", "a/b", ".hidden", "a..b", "...a", "-rf", "~x", "$(id)", "a b", "é/ü", "ab:c", "1:", "conf/C:x", "a\u{301}",
        "😀",
        String(repeating: "x", count: 255), "*", "update.lock",
    ])
    func `Clean names pass`(_ name: String) {
        #expect(EntryName.problem(in: name.utf8) == nil)
    }

    @Test(arguments: [
        "", ".", "..", "./a", "a/.", "a/..", "a/../b", "/", "/a", "//a", "a//b", "a/", "a\\b", "C:", "c:/x", "C:x",
        "a\u{0}b", "a\nb",
        "a\u{7F}", "a\u{85}", "a\u{202E}b", "a\u{200B}", "\u{FEFF}a", "a\u{2066}", "a\u{200D}b", "a ", "a./b", "a /b",
        "b.", "...", " ",
        String(repeating: "x", count: 256), "a/" + String(repeating: "é", count: 128),
    ])
    func `Other names are told what is wrong`(_ name: String) {
        #expect(EntryName.problem(in: name.utf8) != nil)
    }

    @Test(arguments: [[0xFF], [0x61, 0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xC3]] as [[UInt8]])
    func `Names that are not UTF-8 are refused`(_ bytes: [UInt8]) {
        #expect(EntryName.problem(in: bytes) != nil)
    }

    @Test func `patchd's own names are reserved`() {
        for path in ["update.lock", "registry.json", "update.lock/x", ".patchd", "a/.patchd/b", "a/.patchd-new"] {
            #expect(EntryName.reservedProblem(inFolder: path) != nil, "\(path)")
        }
        for path in [
            "a/update.lock", "a/registry.json", "update.locks", "patchd", "x.patchd", "a.patchd-new", "jobs.json",
        ] {
            #expect(EntryName.reservedProblem(inFolder: path) == nil, "\(path)")
        }
    }

    @Test(arguments: [
        ("3.0.3~a.sql", "3.0.3~a", "sql"), ("0.9.1_migrationldap.php", "0.9.1", "php"),
        ("3.5.3~20250703002.sql", "3.5.3~20250703002", "sql"),
        ("3.0.0~b.sh", "3.0.0~b", "sh"), ("8.sh", "8", "sh"), ("8.0.2-note.sql", "8.0.2", "sql"),
        ("8.0.2_.x.sh", "8.0.2", "sh"),
        ("8.0.2_a.sql.sh", "8.0.2", "sh"), ("1.0~a-b_c.sql", "1.0~a", "sql"), ("007.sql", "007", "sql"),
    ])
    func `Scripts say their version`(_ name: String, _ version: String, _ kind: String) throws {
        let script = try #require(ScriptName(name))
        #expect(script.version.description == version)
        #expect(script.kind.rawValue == kind)
        #expect(script.description == name)
    }

    @Test(arguments: [
        "", "README", "a.sql", ".sql", "3.0.3", "3.0.3.SQL", "3.0.3.py", "3.0.3.sql.bak", "3.0.3 .sql", "3.0.x.sql",
        "3.0.3~.sql",
        "3.0.3~A.sql", "3..0.sql", "v3.sql", "3.0.3a.sql", "3.0.3sql", "3.0.3.sql.sql", "3.0.3~a", "٣.sql",
        String(repeating: "1", count: 65) + ".sql",
    ])
    func `Other names are no scripts`(_ name: String) {
        #expect(ScriptName(name) == nil)
    }

    @Test func `Scripts run in ascending version, then by kind, then by name`() {
        let sorted = [
            "3.0.0~b.sh", "3.0.0.sql", "3.0.0_a.sql", "3.0.0_b.sql", "3.0.0-a.sh", "3.0.0.sh", "3.0.0.php", "3.0.2.php",
            "3.0.10.sql",
            "10.sql",
        ].compactMap(ScriptName.init)
        #expect(
            sorted.shuffled().sorted().map(\.description) == [
                "3.0.0~b.sh", "3.0.0.sql", "3.0.0_a.sql", "3.0.0_b.sql", "3.0.0-a.sh", "3.0.0.sh", "3.0.0.php",
                "3.0.2.php", "3.0.10.sql",
                "10.sql",
            ])
    }

    @Test(arguments: [
        ("X3V8_*", "X3V8_P2", true), ("X3V8_*", "X3V8_", true), ("X3V8_*", "X3V7_P2", false), ("*", "", true),
        ("*", "a", true), ("", "", true),
        ("", "a", false), ("?", "", false), ("?", "é", true), ("a?c", "a/c", false),
        ("CNS???SPE*", "CNS123SPE.x", true), ("[a-c]x", "bx", true),
        ("[!a-c]x", "bx", false), ("[^a-c]x", "dx", true), ("[!a]b", "/b", false), ("[]x]", "]", true),
        ("[a-]", "-", true), ("[abc", "[abc", true),
        ("[c-a]", "b", false), ("a*", "a/b", false), ("a**", "a/b", true), ("**", "a/b/c", true),
        ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b", true),
        ("a/**/b", "a/xb", false), ("a/**/b", "axb", false), ("**/b", "b", true), ("**/b", "x/y/b", true),
        ("**/b", "xb", false), ("a/**", "a/x/y", true),
        ("a/**", "a", false), ("conf/*.ini", "conf/a.ini", true), ("conf/*.ini", "conf/x/a.ini", false),
        ("*.*", ".x", true), ("\\*", "\\a", true),
        ("A", "a", false), ("**/**/b", "x/b", true), ("*?*", "a", true), ("*a*b*c*", "xxaxxbxxcxx", true),
        ("*a*b*c*", "xxaxxcxxbxx", false),
    ])
    func `Globs match what they say`(_ pattern: String, _ text: String, _ expected: Bool) {
        #expect(Glob(pattern).matches(text) == expected)
    }

    @Test func `A pattern without a slash means the last component`() {
        #expect(Glob("*.ini").matches(path: "conf/a.ini"))
        #expect(Glob("*.ini").matches(path: "a.ini"))
        #expect(!Glob("/*.ini").matches(path: "conf/a.ini"))
        #expect(!Glob("conf/*.ini").matches(path: "x/conf/a.ini"))
        #expect(Glob("**/*.ini").matches(path: "x/conf/a.ini"))
    }

    @Test(.timeLimit(.minutes(15))) func `No pattern takes long`() {
        let text = String(repeating: "a", count: 1024)
        for part in ["*a", "**a", "?*", "**/", "a*b", "*?"] {
            #expect(!Glob(String(repeating: part, count: 300) + "z").matches(text))
        }
    }

    @Test func `Paths are cut and compared by bytes`() {
        #expect(ExactText("e\u{301}") != ExactText("é"))
        #expect(Set([ExactText("e\u{301}"), ExactText("é")]).count == 2)
        #expect(ExactText("a/\u{301}b").isBelow(ExactText("a")))
        #expect(ExactText("a/\u{301}b").components.count == 2)
        #expect(!ExactText("ab/c").isBelow(ExactText("a")))
        #expect(!ExactText("a").isBelow(ExactText("a")))
        #expect(ExactText("a/b/c").parents == [ExactText("a"), ExactText("a/b")])
        #expect(ExactText("a/b/c").relative(to: ExactText("a")) == ExactText("b/c"))
    }
}
