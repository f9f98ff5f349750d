import PatchConfig
import PatchModel
import Testing

/// What an endpoint's file says about the content of updates.
@Suite struct ContentTests {
    @Test func `handlers, hooks and program files are read`() throws {
        let text = """
            handlers: {dat: "/usr/lib/acme/integrate {file}", tar.gz: "'/opt/my app/x' -f '{file}'"}
            hooks: {before: "systemctl is-active x || true", after: ./warm-up}
            programFiles: ["*.src", "TRT/**"]
            specificPrograms: [X*, Y*, Z*, SPE*, SPV*, "CNS???SPE*"]

            """
        let found = try #require(try load(["endpoints.d/a.yaml": endpoint(text)]).endpoints.first)
        #expect(
            found.handlers == ["dat": "/usr/lib/acme/integrate {file}", "tar.gz": "'/opt/my app/x' -f '{file}'"])
        #expect(found.hooks.before == "systemctl is-active x || true")
        #expect(found.hooks.validate == "" && found.hooks.after == "./warm-up")
        #expect(found.programFiles == ["*.src", "TRT/**"])
        #expect(found.specificPrograms == ["X*", "Y*", "Z*", "SPE*", "SPV*", "CNS???SPE*"])
    }

    @Test(arguments: [
        Defect(endpoint("hooks: {befor: x}\n"), line: 3, "unknown key \"befor\"; did you mean \"before\"?"),
        Defect(endpoint("hooks: {validate: \" \"}\n"), line: 3, "found blanks only"),
        Defect(endpoint("handlers: {dat: \"\"}\n"), line: 3, "handler \"dat\" is empty"),
        Defect(endpoint("handlers: [dat]\n"), line: 3, "is a map"),
        Defect(endpoint("handlers:\n  dat: /bin/x\n"), line: 4, "did you mean \"/bin/x {file}\"?"),
        Defect(endpoint("handlers:\n  dat: integrate {file}\n"), line: 4, "begins with the absolute path"),
        Defect(endpoint("handlers:\n  dat: /bin/x '{file}\n"), line: 4, "without its second one"),
        Defect(endpoint("handlers: {.dat: \"/bin/x {file}\"}\n"), line: 3, "without the dot before it"),
        Defect(endpoint("handlers: {a/b: \"/bin/x {file}\"}\n"), line: 3, "is a file extension"),
        Defect(
            endpoint("handlers:\n  dat: /bin/x {file}\n  dat: /bin/y {file}\n"), line: 5,
            "given twice; first in line 4"),
        Defect(endpoint("programFiles: [\"[X\"]\n"), line: 3, "without its \"]\""),
        Defect(endpoint("programFiles: [/srv/x]\n"), line: 3, "begins with \"/\" and matches none"),
        Defect(endpoint("specificPrograms: [\"\"]\n"), line: 3, "is empty"),
        Defect(endpoint("specificPrograms:\n  - X*\n  - X*\n"), line: 5, "is given twice"),
    ]) func `what is wrong is told where it stands`(_ defect: Defect) throws {
        let found = try problems(defect.text)
        #expect(
            found.count == 1 && found[0].hasPrefix("endpoints.d/a.yaml:\(defect.line):")
                && found[0].contains(defect.says), "\(found)")
    }
}
