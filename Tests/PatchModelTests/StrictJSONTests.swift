import PatchJSON
import PatchModel
import Testing

struct StrictJSONTests {
    @Test(arguments: [
        // After JSONTestSuite's y_ files.
        "[]", "{}", " [ ] ", "[[]]", "null", "true", "false", "-0", "0", "1e9", "1E+2", "1.5e-3",
        "123456789012345678901234",
        "1e999", #""""#, #""\"\\\/\b\f\n\r\t""#, #""\u0060\u012a\uD83D\ude00""#, #""\u0012""#, "\"é€😀\u{7f}\"",
        "\"\u{2028}\"",
        #"{"a":1,"A":2}"#, #"{"":0}"#, "\t\r\n[1 ,2]\n", #"{"a":{"b":[1,{"c":null}]}}"#, #"["\\u0000"]"#,
        "\"\u{FFFF}\"",
    ])
    func `Good JSON is read, and written back as the same value`(_ text: String) throws {
        let value = try StrictJSON.parse(Array(text.utf8))
        #expect(try StrictJSON.parse(value.serialized) == value)
    }

    @Test(arguments: [
        // After JSONTestSuite's n_ files, and reliability rules beyond them.
        ("", 1, 1), (" \n ", 2, 2), ("[", 1, 2), ("[1,]", 1, 4), ("[1,,2]", 1, 4), ("[,1]", 1, 2), ("[1 2]", 1, 4),
        ("[1]x", 1, 4),
        ("[1]]", 1, 4), ("{\"a\":1,}", 1, 8), ("{\"a\"}", 1, 5), ("{\"a\":}", 1, 6), ("{a:1}", 1, 2), ("{'a':1}", 1, 2),
        ("{\"a\":1,\"a\":1}", 1, 8), ("{\"a\":1,\"\\u0061\":1}", 1, 8), ("{1:1}", 1, 2), ("{\"a\" 1}", 1, 6),
        ("{\"a\":1", 1, 7),
        ("{\"a\":{\"b\":1,\"b\":2}}", 1, 13), ("[NaN]", 1, 2), ("[Infinity]", 1, 2), ("[-]", 1, 3), ("[+1]", 1, 2),
        ("[01]", 1, 2),
        ("[-01]", 1, 2), ("[1.]", 1, 4), ("[.5]", 1, 2), ("[1e]", 1, 4), ("[1e+]", 1, 5), ("[0x1]", 1, 3),
        ("[1.5.2]", 1, 5),
        ("[tru]", 1, 2), ("[True]", 1, 2), ("[nul", 1, 2), ("\"abc", 1, 1), ("\"a\nb\"", 1, 3), ("\"a\tb\"", 1, 3),
        ("\"\\u0000\"", 1, 2), ("\"\\x\"", 1, 2), ("\"\\u12\"", 1, 6), ("\"\\uD800\"", 1, 2), ("\"\\uDC00\"", 1, 2),
        ("\"\\uD800\\u0041\"", 1, 2), ("\"\\uD800\\uD800\"", 1, 2), ("\"\\", 1, 3), ("\"\\u", 1, 4), ("// x\n1", 1, 1),
        ("/**/1", 1, 1),
        ("[1] // x", 1, 5), ("{\n \"a\": 1\n \"b\": 2}", 3, 2), ("\u{FEFF}{}", 1, 1), ("\u{0}", 1, 1),
        ("[1]\u{0}", 1, 4), ("\u{A0}1", 1, 1),
        ("[\u{C}1]", 1, 2),
    ])
    func `Bad JSON is refused with its place`(_ text: String, _ line: Int, _ column: Int) {
        let error = #expect(throws: JSONError.self) { try StrictJSON.parse(Array(text.utf8)) }
        #expect(error?.line == line, "\(String(describing: error))")
        #expect(error?.column == column, "\(String(describing: error))")
    }

    @Test(
        arguments: [
            [0xFF, 0xFE, 0x31, 0x00], [0xFE, 0xFF, 0x00, 0x31], [0x31, 0x00], [0x22, 0xFF, 0x22],
            [0x22, 0xC0, 0x80, 0x22],
            [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22], [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0xC3],
            [0x22, 0x00, 0x22],
            [0x22, 0x1F, 0x22],
        ] as [[UInt8]])
    func `Bytes that are no UTF-8 text are refused`(_ bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try StrictJSON.parse(bytes) }
    }

    @Test func `Depth and length have limits`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        func text(_ count: Int) -> [UInt8] { Array("\"\(String(repeating: "é", count: count / 2))\"".utf8) }
        _ = try StrictJSON.parse(nested(16))
        #expect(throws: JSONError.self) { try StrictJSON.parse(nested(17)) }
        #expect(throws: JSONError.self) { try StrictJSON.parse(nested(100_000)) }
        _ = try StrictJSON.parse(text(4096))
        #expect(throws: JSONError.self) { try StrictJSON.parse(text(4098)) }
        _ = try StrictJSON.parse(text(4098), maximumString: 5000)
        #expect(throws: JSONError.self) {
            try StrictJSON.parse(Array("{\"\(String(repeating: "k", count: 4097))\":1}".utf8))
        }
    }

    @Test func `A text cut anywhere is refused`() throws {
        let whole = Array(#"{"a":[1.5e3,"\u00e9\\x",{"b":null}],"c":true}"#.utf8)
        _ = try StrictJSON.parse(whole)
        for length in whole.indices {
            #expect(throws: JSONError.self, "\(length)") { try StrictJSON.parse(Array(whole[..<length])) }
        }
    }

    @Test func `Members keep their order and numbers their spelling`() throws {
        let value = try StrictJSON.parse(Array(#"{"b":1.50,"a":"x"}"#.utf8))
        #expect(value == .object([.init("b", .number("1.50")), .init("a", .string("x"))]))
    }

    @Test(arguments: ["1.5", "1e2", "9223372036854775808", #""1""#, "true", "null"])
    func `A whole number is only what is written as one`(_ text: String) throws {
        let reader = try JSONReader(strictJSON: Array(text.utf8), file: "f", refusedAs: .optionsInvalid)
        #expect(throws: Refusal.self) { try reader.integer() }
        #expect(try JSONReader(.number("-12"), at: JSONPath(file: "f"), refusedAs: .optionsInvalid).integer() == -12)
    }
}
