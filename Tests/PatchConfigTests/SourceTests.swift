import PatchConfig
import PatchModel
import Testing

@Suite struct `Sources of updates` {
    @Test func `are URLs, or maps that say more`() throws {
        let text = "sources:\n  - https://h/index.json\n  - {url: \"file:///srv/index.json\", download: true}\n"
        let found = try load(["patchd.yaml": text]).daemon.sources
        #expect(found.map(\.url.description) == ["https://h/index.json", "file:///srv/index.json"])
        #expect(found.map(\.download) == [false, true])
    }

    @Test(arguments: [
        ("[http://h/index.json]", "https: or file: URL"), ("[\"ftp://h/i\"]", "https: or file: URL"),
        ("[https://user:secret@h/index.json]", "without password"), ("[/srv/index.json]", "https: or file: URL"),
        ("[https:///index.json]", "https: or file: URL"), ("[\"https://h/a b\"]", "https: or file: URL"),
        ("https://h/index.json", "is a list"), ("[{download: true}]", "needs the key \"url\""),
        ("[{url: \"https://h/i\", downlaod: true}]", "did you mean \"download\"?"),
        ("[{url: \"https://h/i\", download: yes}]", "true or false"), ("[https://h/i, https://H/./i]", "twice"),
        ("[[https://h/i]]", "is a single value"),
    ])
    func `are refused where nothing could be fetched from them`(value: String, message: String) throws {
        let found = try problems(["patchd.yaml": "sources: \(value)\n"])
        #expect(found.count == 1 && found[0].hasPrefix("patchd.yaml:1:") && found[0].contains(message), "\(found)")
    }
}
