import Foundation
import PatchModel
import Support
import Testing

@Suite struct `An index` {
    static let sum = String(repeating: "0a", count: 32)
    static let good =
        #"{"schema":1,"serial":42,"x":{},"updates":[{"name":"A","version":"2","dependency":"1","size":7,"sha256":"\#(sum)","url":"A.zip","by":1}]}"#

    private func index(_ text: String) throws -> UpdateIndex {
        try UpdateIndex(strictJSON: Array(text.utf8), at: #require(SourceURL("https://h/up/index.json")))
    }

    @Test func `names updates relative to where it lies, and what is not known in it is ignored`() throws {
        let found = try index(Self.good)
        #expect(found.serial == 42)
        #expect(found.updates.map(\.url.description) == ["https://h/up/A.zip"])
        #expect(found.updates.map(\.signature.description) == ["https://h/up/A.zip.sig"])
        let other = try index(Self.good.replacingOccurrences(of: #""by":1"#, with: #""sig":"/s/A""#))
        #expect(other.updates.map(\.signature.description) == ["https://h/s/A"])
    }

    /// What stands there, and what instead.
    static let defects = [
        (#""schema":1"#, #""schema":2"#), (#""schema":1,"#, ""), (#""serial":42"#, #""serial":-1"#),
        (#""serial":42"#, #""serial":"42""#), (#""name":"A""#, #""name":"A/B""#), (#""name":"A""#, #""name":"""#),
        (#""version":"2""#, #""version":"v2""#), (#""dependency":"1","#, ""), (#""size":7"#, #""size":-7"#),
        (#""size":7"#, #""size":7.5"#), (sum, sum + "0"), (sum, String(sum.dropLast()) + "A"),
        (#""url":"A.zip","#, ""), (#""url":"A.zip""#, #""url":"""#), (#""updates":["#, #""updates":[1,"#),
    ]

    @Test(arguments: Self.defects) func `is refused for what its schema refuses`(old: String, new: String) throws {
        let text = Self.good.replacingOccurrences(of: old, with: new)
        #expect(text != Self.good)
        #expect(throws: Refusal.self) { try index(text) }
    }

    @Test func `is refused for what a schema refuses by its shape, and accepted alike`() throws {
        #expect(try Schemas.problems(in: [("index", Self.good)]) == [""])
        let bad = Self.defects.map { ("index", Self.good.replacingOccurrences(of: $0.0, with: $0.1)) }
        #expect(try Schemas.taken(bad) == [])
    }

    @Test(arguments: [
        (#""version":"2""#, #""version":"1~""#), (#""url":"A.zip""#, #""url":"http://h/A.zip""#),
        (#""url":"A.zip""#, #""url":"file:///A.zip""#), (#""url":"A.zip""#, #""url":"A b.zip""#),
        (#""serial":42"#, #""serial":42,"serial":43"#), (#""size":7"#, #""size":99999999999999999999"#),
    ])
    func `is refused for what a schema cannot see`(old: String, new: String) {
        #expect(throws: Refusal.self) { try index(Self.good.replacingOccurrences(of: old, with: new)) }
    }

    @Test func `may follow an older one, or itself`() throws {
        let (first, second) = (
            try index(Self.good), try index(Self.good.replacingOccurrences(of: "42", with: "43"))
        )
        try second.check(after: first, isSame: false)
        try first.check(after: first, isSame: true)
        #expect(throws: Refusal.self) { try first.check(after: second, isSame: false) }
        #expect(throws: Refusal.self) { try first.check(after: first, isSame: false) }
    }

    /// By RFC 3986, 5.4, as far as a URL may look so here.
    @Test(arguments: [
        ("g", "https://a/b/c/g"), ("./g", "https://a/b/c/g"), ("g/", "https://a/b/c/g/"), ("/g", "https://a/g"),
        ("//g", "https://g/"), ("?y", "https://a/b/c/d?y"), ("g?y", "https://a/b/c/g?y"), (".", "https://a/b/c/"),
        ("..", "https://a/b/"), ("../g", "https://a/b/g"), ("../../../g", "https://a/g"), ("/./g", "https://a/g"),
        ("g?y/../x", "https://a/b/c/g?y/../x"), ("https://z:8443/x", "https://z:8443/x"), ("HTTPS://z", "https://z/"),
        ("g;x=1/../y", "https://a/b/c/y"),
    ])
    func `resolves what it names as everybody does`(reference: String, url: String) throws {
        #expect(try #require(SourceURL("https://a/b/c/d?q")).resolved(reference)?.description == url)
    }

    @Test(arguments: [
        "", "http://z/", "file:///z", "mailto:x", "g#s", "a\"b", "https://u@z/", "https:g", "\u{e4}", "a\\b",
    ])
    func `does not lead to anything else`(reference: String) throws {
        #expect(try #require(SourceURL("https://a/b/c/d?q")).resolved(reference) == nil)
    }
}
