import Foundation
import PatchModel
import Support
import Testing

/// `share/schemas` and the code agree on what the other tests have the code read.
@Suite struct `The schemas of what vendors and admins write` {
    private func accepts(_ schema: String, _ texts: [String]) throws {
        let problems = try Schemas.problems(in: texts.map { (schema, $0) })
        for (text, problem) in zip(texts, problems) { #expect(problem.isEmpty, "\(text): \(problem)") }
    }

    @Test func `take the manifests that the code takes, and refuse what it refuses by its shape`() throws {
        try accepts(
            "update",
            [
                example,
                #"""
                {"name": "A", "version": "1:2~rc+1-3", "dependency": "0", "critical": true, "endpoints": ["pay*"],
                 "x-build": {"n": [1]}, "patches": [{"name": "A", "type": "HRM", "mandatory": false, "path": "A/",
                 "target": "supervisor", "default": false, "keep": ["conf/*.ini"], "x-by": null, "outOfOrder": true,
                 "delete": ["lib/old/", "a/b c", "a", "lib/update.lock"], "description": "two\nlines"}]}
                """#,
            ])
        let defects = try ManifestTests.defects.map { try ManifestTests.text($0.old, $0.new) }
        let keep = (0...200).map { "\"\($0)\"" }.joined(separator: ",")
        let many = try ManifestTests.text(#""mandatory": false"#, "\"mandatory\": false, \"keep\": [\(keep)]")
        let long = try ManifestTests.text(
            #""mandatory": false"#, "\"mandatory\": false, \"keep\": [\"\(String(repeating: "a", count: 513))\"]")
        let taken = try Schemas.taken((defects + [many, long]).map { ("update", $0) })
        // That two values fit each other, a schema cannot say, nor that no key stands there twice.
        let apart = [
            #""version": "8.0.1", "#, #""version": "8.0.1-0""#, #""dependency": "8.0.3""#,
            #""version": "8.0.2~","dependency":"1""#,
            #""name": "X3V8_P2", "type": "HRM""#, #""path": "X3V8_P2/FILPATCH", "description": "8.0.2 optional"#,
            #""path": "X3V8_P2/FILPATCH/", "#, #""path": "X3V8_P2/FILPATCH/a/b""#, #""path": "X3V8_P2", "#,
            #""delete": ["a", "a/"]"#,
        ]
        for text in taken { #expect(apart.contains(where: text.contains), "\(text)") }
        #expect(taken.count == apart.count)
    }

    @Test(arguments: [("jobs.json", "jobs"), ("datafiles.json", "datafiles")])
    func `take the commands and data that the code takes, and refuse what it refuses by its shape`(
        name: String, schema: String
    ) throws {
        let own = UpdateCheckTests.documents.filter { $0.name == name }
        try accepts(schema, own.filter { $0.code == nil || $0.code == .contentMissing }.map(\.text))
        let taken = try Schemas.taken(own.filter { $0.code == .manifestInvalid }.map { (schema, $0.text) })
        // What the other of the two files says of a table or form, and that a key stands there twice.
        let apart = [#"[["installdata","T"]]"#, #"[["installform","F"]]"#, #"{"T":{},"T":{}}"#]
        #expect(Set(taken).isSubset(of: apart), "\(taken)")
    }

    @Test func `take the options that the code takes, and refuse what it refuses by its shape`() throws {
        let text =
            #"{"operation":"test","endpoints":["payroll"],"exclude":["SEEDPROD"],"only":["SEED"],"patches":{"X3V8_P2BIS":false},"force":true}"#
        try accepts("options", [text, "{}", #"{"rehearse":"twice","x-by":1}"#, #"{"rehearse":true}"#])
        let taken = try Schemas.taken(UpdateOptionsTests.bad.map { ("options", $0) })
        #expect(taken == [#"{"only":["A"],"exclude":["A"]}"#, #"{"force":true,"force":true}"#])
    }

    @Test func `know the codes of faults, and take an index of updates`() throws {
        let job = try #require(
            JSONSerialization.jsonObject(
                with: Data(contentsOf: Schemas.directory.appendingPathComponent("job.schema.json"))) as? [String: Any])
        let definitions = try #require(job["$defs"] as? [String: [String: Any]])
        #expect(
            Set(definitions["code"]?["enum"] as? [String] ?? []) == Set(FaultCode.allCases.map(\.rawValue) + [""]))
        let update =
            #"{"name":"A","version":"2","dependency":"1","size":1,"sha256":"\#(String(repeating: "0a", count: 32))","url":"A.zip"}"#
        try accepts(
            "index", [#"{"schema":1,"serial":42,"updates":[\#(update)]}"#, #"{"schema":1,"serial":0,"updates":[]}"#])
        let bad = [
            #"{"schema":2,"serial":42,"updates":[]}"#, #"{"schema":1,"updates":[]}"#,
            #"{"schema":1,"serial":-1,"updates":[]}"#,
            #"{"schema":1,"serial":1,"updates":[{}]}"#,
        ]
        #expect(try Schemas.taken(bad.map { ("index", $0) }) == [])
    }
}
