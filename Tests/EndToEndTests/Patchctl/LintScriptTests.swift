import Foundation
import Support
import Testing

@Suite struct `patchctl lint has interpreters read scripts` {
    let host: Installation

    init() throws { host = try Installation() }

    private func findings(_ scripts: [String: String]) throws -> (code: Int32, texts: [String]) {
        var update = ExampleUpdate()
        for (name, text) in scripts { update.files["X3V8_P2/FILPATCH/upgrades/\(name)"] = text }
        let path = "\(host.root)/\(UInt32.random(in: .min ... .max)).zip"
        try update.pack(to: path)
        let outcome = try host.run("patchctl", "lint", path, "--json")
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome)")
        let all = try #require(report["findings"] as? [[String: Any]])
        return (
            outcome.code,
            all.filter { $0["code"] as? String == "scriptSyntax" }.map {
                "\($0["place"] ?? ""): \($0["message"] ?? "")"
            }
        )
    }

    @Test func `sh, bash and PHP, each by its first line`() throws {
        let bad = try findings([
            "8.0.2.sh": "if true; then\necho x\n", "8.0.2_b.sh": "#!/bin/bash\nx=(\n",
            "8.0.2_p.php": "<?php\nfoo(;\n",
        ])
        #expect(bad.code == 4)
        #expect(
            bad.texts.contains { $0.contains("upgrades/8.0.2.sh: sh -n: ") && $0.contains("Syntax error") }, "\(bad)")
        #expect(bad.texts.contains { $0.contains("upgrades/8.0.2_b.sh: bash -n: ") }, "\(bad)")
        let hasPHP = FileManager.default.isExecutableFile(atPath: "/usr/bin/php")
        #expect(
            bad.texts.contains { $0.contains("8.0.2_p.php: php -l: ") && $0.contains("line 2") } == hasPHP, "\(bad)")
        #expect(!bad.texts.contains { $0.contains("./") }, "\(bad)")
    }

    @Test func `and takes what they take, or cannot check`() throws {
        let good = try findings([
            "8.0.2.sh": "if true; then :; fi\n", "8.0.2_b.sh": "#!/usr/bin/env bash\nx=(a b)\n",
            "8.0.2_y.sh": "#!/usr/bin/python3\nif True:\n  print(1)\n", "8.0.2_p.php": "<?php\nfoo();\n",
        ])
        #expect(good.code == 0 && good.texts == [], "\(good)")
    }

    @Test func `and runs none of them`() throws {
        let outcome = try findings([
            "8.0.2.sh": "touch \(host.root)/ran\n", "8.0.2_p.php": "<?php touch('\(host.root)/ran');\n",
        ])
        #expect(outcome.texts == [] && !host.exists("ran"))
    }
}
