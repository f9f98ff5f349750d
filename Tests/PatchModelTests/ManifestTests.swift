import Foundation
import PatchModel
import Testing

/// The contract's own example, byte for byte.
let example = """
    {"name": "X3V8_P2", "version": "8.0.2", "dependency": "8.0.1",
     "description": "Update that brings Sage X3 People From version 8.0.1 to 8.0.2",
     "patches": [
      {"name": "X3V8_P2", "type": "$ROOT", "mandatory": true, "path": "X3V8_P2/FILPATCH", "description": "8.0.2 mandatory maintenances"},
      {"name": "X3V8_P2BIS", "type": "HRM", "mandatory": false, "path": "X3V8_P2BIS/FILPATCH", "description": "8.0.2 optional maintenances"}]}
    """

struct ManifestTests {
    @Test func `The contract's example is read`() throws {
        let manifest = try Manifest(strictJSON: Array(example.utf8))
        #expect(manifest.name == "X3V8_P2")
        #expect(manifest.version.description == "8.0.2")
        #expect(manifest.dependency.description == "8.0.1")
        #expect(manifest.description == "Update that brings Sage X3 People From version 8.0.1 to 8.0.2")
        #expect(
            manifest.patches == [
                Patch(
                    name: "X3V8_P2", type: "$ROOT", mandatory: true, path: "X3V8_P2/FILPATCH",
                    description: "8.0.2 mandatory maintenances"),
                Patch(
                    name: "X3V8_P2BIS", type: "HRM", mandatory: false, path: "X3V8_P2BIS/FILPATCH",
                    description: "8.0.2 optional maintenances"),
            ])
        #expect(!manifest.critical)
        #expect(manifest.endpoints == nil)
    }

    @Test func `Optional keys are read, keys of vendors ignored`() throws {
        let manifest = try Manifest(
            strictJSON: Array(
                #"""
                {"name": "A", "version": "2", "dependency": "1", "critical": true, "endpoints": ["pay*"], "x-build": {"n": [1]},
                 "patches": [{"name": "A", "type": "HRM", "mandatory": false, "path": "A/", "target": "supervisor",
                 "default": false, "keep": ["conf/*.ini"], "delete": ["lib/old/", "a/b c", "a"], "x-by": null, "description": "two\nlines"}]}
                """#.utf8))
        #expect(manifest.critical)
        #expect(manifest.endpoints == ["pay*"])
        #expect(
            manifest.patches == [
                Patch(
                    name: "A", type: "HRM", mandatory: false, path: "A", description: "two\nlines", target: .supervisor,
                    isOnByDefault: false, keep: ["conf/*.ini"], delete: ["lib/old", "a/b c", "a"])
            ])
    }

    @Test func `Patterns are few and short, and more is limitExceeded`() throws {
        func code(_ keep: [String]) -> RefusalCode? {
            let list = keep.map { "\"\($0)\"" }.joined(separator: ",")
            let text =
                #"{"name": "A", "version": "2", "dependency": "1", "patches": [{"name": "A", "type": "HRM", "#
                + #""mandatory": false, "path": "A", "keep": ["# + list + "]}]}"
            do throws(Refusal) {
                _ = try Manifest(strictJSON: Array(text.utf8))
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code(Array(repeating: "*.ini", count: 200)) == nil)
        #expect(code(Array(repeating: "*.ini", count: 201)) == .limitExceeded)
        #expect(code([String(repeating: "a", count: 512)]) == nil)
        #expect(code([String(repeating: "é", count: 257)]) == .limitExceeded)
        let files = (0...200).map { "\"*.\($0)\"" }.joined(separator: ",")
        let refusal = #expect(throws: Refusal.self) {
            try PatchData.list(strictJSON: Array("{\"T\": {\"files\": [\(files)]}}".utf8), file: "A/datafiles.json")
        }
        #expect(refusal?.code == .limitExceeded)
    }

    /// Each row is the example with one defect: what is replaced, by what, and the place that is named.
    static let defects: [(old: String, new: String, place: String)] = [
        (#""name": "X3V8_P2", "version""#, #""version""#, "update.json"),
        (#""version": "8.0.2", "#, "", "update.json"),
        (#""dependency": "8.0.1","#, "", "update.json"),
        (#"{"name": "X3V8_P2", "version""#, #"{"name": "", "version""#, "update.json: name"),
        (#"{"name": "X3V8_P2", "version""#, #"{"name": "a b", "version""#, "update.json: name"),
        (#"{"name": "X3V8_P2", "version""#, #"{"name": "a/b", "version""#, "update.json: name"),
        (#"{"name": "X3V8_P2", "version""#, #"{"name": "é", "version""#, "update.json: name"),
        (#"{"name": "X3V8_P2", "version""#, #"{"name": 12, "version""#, "update.json: name"),
        (#"{"name": "X3V8_P2", "version""#, #"{"name": null, "version""#, "update.json: name"),
        (#"{"name": "X3V8_P2", "version""#, #"{"name": "$(id)", "version""#, "update.json: name"),
        (#"{"name": "X3V8_P2", "version""#, #"{"name": "A", "nmae": "B", "version""#, "update.json"),
        (#""version": "8.0.2""#, #""version": "v8""#, "update.json: version"),
        (#""version": "8.0.2""#, #""version": 8.0"#, "update.json: version"),
        (#""version": "8.0.2""#, #""version": "8.0.1""#, "update.json: version"),
        (#""version": "8.0.2""#, #""version": "8.0.1-0""#, "update.json: version"),
        (#""version": "8.0.2""#, #""version": "8.0.2~","dependency":"1""#, "update.json: line 1, column 59"),
        (#""dependency": "8.0.1""#, #""dependency": """#, "update.json: dependency"),
        (#""dependency": "8.0.1""#, #""dependency": "8.0.3""#, "update.json: version"),
        (#""dependency": "8.0.1","#, #""dependency": "8.0.1", "critical": "true","#, "update.json: critical"),
        (#""dependency": "8.0.1","#, #""dependency": "8.0.1", "endpoints": "x","#, "update.json: endpoints"),
        (#""dependency": "8.0.1","#, #""dependency": "8.0.1", "endpoints": [],"#, "update.json: endpoints"),
        (#""dependency": "8.0.1","#, #""dependency": "8.0.1", "endpoints": ["a", 1],"#, "update.json: endpoints[1]"),
        (#""dependency": "8.0.1","#, #""dependency": "8.0.1", "Critical": true,"#, "update.json"),
        (#""description": "Update"#, #""description": "\u001b[2J"#, "update.json: description"),
        (#""type": "$ROOT", "#, "", "update.json: patches[0]"),
        (#""mandatory": true, "#, "", "update.json: patches[0]"),
        (#""type": "HRM""#, #""type": """#, "update.json: patches[1].type"),
        (#""type": "HRM""#, #""type": "H R""#, "update.json: patches[1].type"),
        (#""type": "HRM""#, #""type": ["HRM"]"#, "update.json: patches[1].type"),
        (#""mandatory": false"#, #""mandatory": "false""#, "update.json: patches[1].mandatory"),
        (#""type": "$ROOT""#, #""type": "$ROOTT""#, "update.json: patches[0].type"),
        (#""type": "$ROOT""#, #""type": "$root""#, "update.json: patches[0].type"),
        (#""type": "$ROOT""#, #""type": "$""#, "update.json: patches[0].type"),
        (#""mandatory": false"#, #""mandatory": 0"#, "update.json: patches[1].mandatory"),
        (#""mandatory": false"#, #""mandatory": false, "target": "root""#, "update.json: patches[1].target"),
        (#""mandatory": false"#, #""mandatory": false, "default": 1"#, "update.json: patches[1].default"),
        (#""mandatory": false"#, #""mandatory": false, "keep": "*.ini""#, "update.json: patches[1].keep"),
        (#""mandatory": false"#, #""mandatory": false, "keep": [""]"#, "update.json: patches[1].keep[0]"),
        (#""mandatory": false"#, #""mandatory": false, "delete": "a""#, "update.json: patches[1].delete"),
        (#""mandatory": false"#, #""mandatory": false, "delete": [{}]"#, "update.json: patches[1].delete[0]"),
        (#""mandatory": false"#, #""mandatory": false, "delete": ["a", ""]"#, "update.json: patches[1].delete[1]"),
        (#""mandatory": false"#, #""mandatory": false, "delete": ["/"]"#, "update.json: patches[1].delete[0]"),
        (#""mandatory": false"#, #""mandatory": false, "delete": ["."]"#, "update.json: patches[1].delete[0]"),
        (#""mandatory": false"#, #""mandatory": false, "delete": ["/etc/x"]"#, "update.json: patches[1].delete[0]"),
        (#""mandatory": false"#, #""mandatory": false, "delete": ["a/../b"]"#, "update.json: patches[1].delete[0]"),
        (#""mandatory": false"#, #""mandatory": false, "delete": ["a\\b"]"#, "update.json: patches[1].delete[0]"),
        (
            #""mandatory": false"#, #""mandatory": false, "delete": ["update.lock"]"#,
            "update.json: patches[1].delete[0]"
        ),
        (
            #""mandatory": false"#, #""mandatory": false, "delete": ["registry.json"]"#,
            "update.json: patches[1].delete[0]"
        ),
        (#""mandatory": false"#, #""mandatory": false, "delete": ["a/.patchd"]"#, "update.json: patches[1].delete[0]"),
        (#""mandatory": false"#, #""mandatory": false, "delete": ["a", "a/"]"#, "update.json: patches[1].delete[1]"),
        (#""mandatory": false"#, #""mandatory": false, "optional": true"#, "update.json: patches[1]"),
        (#"{"name": "X3V8_P2BIS""#, #"{"name": "X3V8_P2""#, "update.json: patches[1].name"),
        (#""X3V8_P2BIS/FILPATCH""#, #""""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""/""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #"".""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""../x""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""/x""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""a\\b""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""a//b""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""a//""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""a\u202eb""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""a/.patchd/b""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""X3V8_P2/FILPATCH""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""X3V8_P2/FILPATCH/""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""X3V8_P2/FILPATCH/a/b""#, "update.json: patches[1].path"),
        (#""X3V8_P2BIS/FILPATCH""#, #""X3V8_P2""#, "update.json: patches[0].path"),
        (#"[\#n  {"name""#, #"[1, {"name""#, "update.json: patches[0]"),
        (#""patches": ["#, #""patches": [], "x-patches": ["#, "update.json: patches"),
        (#""patches": ["#, #""patches": {}, "x-patches": ["#, "update.json: patches"),
        (#"maintenances"}]}"#, #"maintenances"},]}"#, "update.json: line 5, column 138"),
    ]

    /// The contract's example with a defect.
    static func text(_ old: String, _ new: String) throws -> String {
        let range = try #require(example.range(of: old), "the row does not fit the example: \(old)")
        return example.replacingCharacters(in: range, with: new)
    }

    @Test(arguments: defects)
    func `One defect is refused at its place`(_ old: String, _ new: String, _ place: String) throws {
        let text = try Self.text(old, new)
        let refusal = #expect(throws: Refusal.self) { try Manifest(strictJSON: Array(text.utf8)) }
        #expect(refusal?.code == .manifestInvalid)
        #expect(refusal?.place == place, "\(String(describing: refusal))")
    }

    @Test(arguments: ["", "[]", "\"x\"", "null", "{}"])
    func `What is no manifest at all is refused`(_ text: String) {
        let refusal = #expect(throws: Refusal.self) { try Manifest(strictJSON: Array(text.utf8), file: "old.json") }
        #expect(refusal?.code == .manifestInvalid)
        #expect(refusal?.place.hasPrefix("old.json") == true)
    }

    @Test func `A misspelt key comes with the right one`() {
        let text = example.replacingOccurrences(of: "\"mandatory\": false", with: "\"mandatroy\": false")
        let refusal = #expect(throws: Refusal.self) { try Manifest(strictJSON: Array(text.utf8)) }
        #expect(refusal?.reason.contains("did you mean \"mandatory\"") == true)
    }

    @Test func `A patch deletes as many paths as its manifest has room for: they are no patterns`() throws {
        let paths = (0..<1000).map { "\"lib/\($0)\"" }.joined(separator: ",")
        let text = example.replacingOccurrences(
            of: "\"mandatory\": false", with: "\"mandatory\": false, \"delete\": [\(paths)]")
        #expect(try Manifest(strictJSON: Array(text.utf8)).patches[1].delete?.count == 1000)
    }

    @Test func `Paths that only begin alike do not overlap`() throws {
        let text = example.replacingOccurrences(of: "\"X3V8_P2BIS/FILPATCH\"", with: "\"X3V8_P2/FILPATCH-2\"")
        _ = try Manifest(strictJSON: Array(text.utf8))
    }
}

struct UpdateOptionsTests {
    @Test func `The contract's example is read and written back`() throws {
        let text =
            #"{"operation":"test","endpoints":["payroll"],"exclude":["SEEDPROD"],"only":["SEED"],"patches":{"X3V8_P2BIS":false},"force":true}"#
        let options = try UpdateOptions(strictJSON: Array(text.utf8))
        #expect(
            options
                == UpdateOptions(
                    operation: .test, endpoints: ["payroll"], exclude: ["SEEDPROD"], only: ["SEED"],
                    patches: ["X3V8_P2BIS": false], force: true))
        #expect(try UpdateOptions(strictJSON: options.strictJSON) == options)
        #expect(String(decoding: options.strictJSON, as: UTF8.self) == text)
        #expect(try UpdateOptions(strictJSON: Array("{}".utf8)) == UpdateOptions())
        #expect(try UpdateOptions(strictJSON: UpdateOptions().strictJSON) == UpdateOptions())
    }

    @Test(arguments: [("true", UpdateOptions.Rehearse.once), ("false", nil), (#""twice""#, .twice)])
    func `A rehearsal is asked for once or twice`(_ value: String, _ rehearse: UpdateOptions.Rehearse?) throws {
        let options = try UpdateOptions(strictJSON: Array("{\"rehearse\":\(value)}".utf8))
        #expect(options.rehearse == rehearse)
        #expect(try UpdateOptions(strictJSON: options.strictJSON) == options)
    }

    static let bad: [String] = [
        #"{"rehearse":"once"}"#, #"{"rehearse":null}"#, #"{"rehearse":1}"#,
        "", "[]", "null", #"{"operation":"rollback"}"#, #"{"operation":"Apply"}"#, #"{"operation":1}"#,
        #"{"endpoints":"a"}"#,
        #"{"endpoints":[]}"#, #"{"endpoints":[""]}"#, #"{"exclude":[1]}"#, #"{"only":{}}"#, #"{"patches":["A"]}"#,
        #"{"patches":{"A":"no"}}"#, #"{"force":"yes"}"#, #"{"force":null}"#, #"{"exlude":[]}"#,
        #"{"only":["A"],"exclude":["A"]}"#,
        #"{"force":true,"force":true}"#, #"{"only":["a\u0007"]}"#,
    ]

    @Test(arguments: bad)
    func `Bad options are refused`(_ text: String) {
        let refusal = #expect(throws: Refusal.self) { try UpdateOptions(strictJSON: Array(text.utf8)) }
        #expect(refusal?.code == .optionsInvalid)
    }
}
