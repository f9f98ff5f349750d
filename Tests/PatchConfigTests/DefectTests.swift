import Glibc
import PatchModel
import Testing

/// One defect an entry: the file, the line of the report, and what it says.
struct Defect: CustomTestStringConvertible {
    let text: String
    let line: Int
    let says: String

    init(_ text: String, line: Int, _ says: String) {
        self.text = text
        self.line = line
        self.says = says
    }

    var testDescription: String { says }

    static let keys: [Defect] = [
        Defect(endpoint("grce: 5s\n"), line: 3, "unknown key \"grce\"; did you mean \"grace\"?"),
        Defect(endpoint("onfail: hold\n"), line: 3, "unknown key \"onfail\"; did you mean \"onFailure\"?"),
        Defect(endpoint("qwertz: 1\n"), line: 3, "unknown key \"qwertz\""),
        Defect(endpoint("tasks: {stpo: []}\n"), line: 3, "did you mean \"stop\"?"),
        Defect(endpoint(folders: "  - {nam: A, name: B}"), line: 4, "did you mean \"name\"?"),
        Defect(endpoint("grace: 5\n"), line: 3, "did you mean \"5s\"?"),
        Defect(endpoint("grace: -5s\n"), line: 3, "is a duration"),
        Defect(endpoint("grace: 99999999999999999d\n"), line: 3, "at most 365d"),
        Defect(endpoint("scriptTimeout: 0s\n"), line: 3, "is more than nothing"),
        Defect(endpoint("grace: [5s]\n"), line: 3, "is a single value, found a list"),
        Defect(endpoint("spare: root\n"), line: 3, "is a list"),
        Defect(endpoint("hooks: x\n"), line: 3, "is a map"),
        Defect(endpoint("onFailure: revertall\n"), line: 3, "did you mean \"revertAll\"?"),
        Defect(endpoint("backup: atuo\n"), line: 3, "did you mean \"auto\"?"),
        Defect(endpoint("windows: [\"Sunday 02:00-05:00\"]\n"), line: 3, "names days as"),
        Defect(endpoint("windows: [\"Sun 25:00-05:00\"]\n"), line: 3, "has times such as"),
        Defect(endpoint("accepts: [\"[X\"]\n"), line: 3, "without its \"]\""),
        Defect(endpoint("accepts: [\"\"]\n"), line: 3, "is empty"),
        Defect(endpoint("tasks: {stop: [payroll]}\n"), line: 3, "did you mean \"payroll.service\"?"),
        Defect(endpoint("tasks: {stop: [a.servcie]}\n"), line: 3, "did you mean \"service\"?"),
        Defect(endpoint("tasks: {stop: [\"a@%i.service\"]}\n"), line: 3, "no other specifier than %f"),
        Defect(endpoint("tasks: {maintenance: [\"a*.service\"]}\n"), line: 3, "names one unit"),
        Defect("endpoint: all\npath: /srv/a\nfolders: [{name: A}]\n", line: 1, "stands for every endpoint"),
        Defect("path: /srv/a\nfolders: [{name: A}]\n", line: 1, "needs the key \"endpoint\""),
        Defect("endpoint: a\npath: /srv/../a\nfolders: [{name: A}]\n", line: 2, "without \".\" and \"..\""),
        Defect("endpoint: a\npath: /srv//a\nfolders: [{name: A}]\n", line: 2, "a \"/\" too many"),
        Defect("endpoint: a\npath: /srv/a/\nfolders: [{name: A}]\n", line: 2, "a \"/\" too many"),
        Defect("endpoint: a\npath: a\nfolders: [{name: A}]\n", line: 2, "is an absolute path"),
        Defect("endpoint: a\npath: /srv/a\n", line: 1, "needs the key \"folders\""),
        Defect("endpoint: a\npath: /srv/a\nfolders: []\n", line: 3, "at least one folder"),
        Defect(endpoint(folders: "  - {name: A, active: no}"), line: 4, "did you mean \"false\"?"),
        Defect(endpoint(folders: "  - {name: A, type: supervizor}"), line: 4, "did you mean \"supervisor\"?"),
        Defect(endpoint(folders: "  - {name: A, modules: [$ROOT]}"), line: 4, "for every folder"),
        Defect(endpoint(folders: "  - {name: A, database: \"mysql://h/d\"}"), line: 4, "did you mean \"mariadb\"?"),
        Defect(endpoint(folders: "  - {name: A, database: \"postgresql:d\"}"), line: 4, "postgresql:///DATABASE"),
        Defect(endpoint(folders: "  - {name: A, database: \"sqlite:../x\"}"), line: 4, "without \".\" and \"..\""),
        Defect(endpoint("tasks: {stop: [app@.service]}\n"), line: 3, "\"app@%f.service\" for one a folder"),
        Defect(endpoint("tasks: {maintenance: [app@.service]}\n"), line: 3, "is a template without an instance"),
        Defect(
            endpoint("accepts: [\"\(String(repeating: "*a", count: 300))\"]\n"), line: 3, "a glob has at most 512"),
    ]

    static let globs: [Defect] = ["X3V8\\\\_*", "X\\\\", "[\\\\]x]"].map { glob in
        Defect(endpoint("accepts: [\"\(glob)\"]\n"), line: 3, "has a backslash, which quotes nothing")
    }

    static let trees: [Defect] = [
        Defect(tree("{name: A, parent: B}", "{name: B, parent: A}"), line: 4, "cycle: A -> B -> A"),
        Defect(tree("{name: R}", "{name: A, parent: A}"), line: 5, "cycle: A -> A"),
        Defect(tree("{name: A}", "{name: B}"), line: 5, "second root beside \"A\" in line 4"),
        Defect(tree("{name: PAIE}", "{name: B, parent: PIAE}"), line: 5, "did you mean \"PAIE\"?"),
        Defect(tree("{name: A}", "{name: a, parent: A}"), line: 5, "unique regardless of case"),
        Defect(tree("{name: A}", "{name: B, parent: A, path: A/b}"), line: 5, "inside folder \"A\" in line 4"),
        Defect(tree("{name: A, path: B/a}", "{name: B, parent: A}"), line: 4, "inside folder \"B\" in line 5"),
        Defect(tree("{name: A}", "{name: B, parent: A, path: A}"), line: 5, "the same directory"),
        Defect(tree("{name: A}", "{name: B, parent: A, path: /srv/x}"), line: 5, "not below its endpoint's"),
        Defect(tree("{name: A}", "{name: B, parent: A, path: ../x}"), line: 5, "without \".\" and \"..\""),
        Defect(tree("{name: A, type: test}"), line: 4, "is the root"),
        Defect(tree("{name: A}", "{name: B, parent: A, type: supervisor}"), line: 5, "only the root is the supervisor"),
        Defect(tree("{name: A B}"), line: 4, "1 to 32 of the characters"),
    ]

    static let yaml: [Defect] = [
        Defect(endpoint("grace: 5s\ngrace: 6s\n"), line: 4, "given twice; first in line 3"),
        Defect(endpoint("grace: &x 5s\n"), line: 3, "is an anchor"),
        Defect(endpoint("grace: *x\n"), line: 3, "is an alias"),
        Defect(endpoint("grace: !!str 5s\n"), line: 3, "is a tag"),
        Defect(endpoint("? [a]\n: b\n"), line: 3, "a key is a word"),
        Defect(endpoint() + "---\na: b\n", line: 5, "second document"),
        Defect("a: [b\n", line: 2, "this is not YAML"),
        Defect("a: \t- b: c: d\n", line: 1, "this is not YAML"),
        Defect(String(repeating: "[", count: 40), line: 1, "nested more than"),
        Defect("- a\n", line: 1, "is a map of keys and values, found a list"),
        Defect(endpoint("grace: \"\\0\"\n"), line: 3, "NUL"),
    ]

    private static func tree(_ folders: String...) -> String {
        endpoint(folders: folders.map { "  - " + $0 }.joined(separator: "\n"))
    }
}

@Suite struct DefectTests {
    @Test(arguments: Defect.keys + Defect.globs) func `a wrong key or value is told with its line`(defect: Defect)
        throws
    {
        let found = try problems(defect.text)
        #expect(
            found.contains { $0.hasPrefix("endpoints.d/a.yaml:\(defect.line):") && $0.contains(defect.says) },
            "\(found)")
    }

    @Test(arguments: Defect.trees) func `folders that are no tree are told once, with their line`(defect: Defect) throws
    {
        let found = try problems(defect.text)
        #expect(found.count == 1 && found[0].hasPrefix("endpoints.d/a.yaml:\(defect.line):"), "\(found)")
        #expect(found.first?.contains(defect.says) ?? false, "\(found)")
    }

    @Test(arguments: Defect.yaml) func `YAML that means more than it shows is refused`(defect: Defect) throws {
        let found = try problems(defect.text)
        #expect(
            found.contains { $0.hasPrefix("endpoints.d/a.yaml:\(defect.line):") && $0.contains(defect.says) },
            "\(found)")
    }

    @Test func `a problem is printed with file, line, column and suggestion`() throws {
        #expect(
            try problems(endpoint("  \ngrce: 5s\n"))
                == ["endpoints.d/a.yaml:4:1: unknown key \"grce\"; did you mean \"grace\"?"])
    }

    @Test func `a broken value is told once, not as a missing one too`() throws {
        #expect(try problems("endpoint: *x\npath: /srv/a\nfolders: [{name: A}]\n").count == 1)
    }

    @Test func `a file that is too large is refused unread`() throws {
        let found = try problems(["patchd.yaml": String(repeating: "#", count: 2 << 20)])
        #expect(found.count == 1 && found[0].contains("more than 1 MiB"), "\(found)")
    }

    @Test func `endpoints do not share names, paths, or updates that nobody assigned`() throws {
        let found = try problems([
            "endpoints.d/a.yaml": "endpoint: a\npath: /srv/a\naccepts: [X*]\nfolders: [{name: A}]\n",
            "endpoints.d/b.yaml": "endpoint: A\npath: /srv/a/b\nfolders: [{name: B}]\n",
        ])
        #expect(found.count == 3, "\(found)")
        #expect(found.contains { $0.hasPrefix("endpoints.d/b.yaml:1:11: endpoint \"A\" has the name of \"a\"") })
        #expect(found.contains { $0.hasPrefix("endpoints.d/b.yaml:1:11: \"accepts\" is needed") })
        #expect(found.contains { $0.hasPrefix("endpoints.d/b.yaml:2:7:") && $0.contains("inside /srv/a,") })
    }

    @Test func `endpoints whose names merely begin alike lie side by side`() throws {
        let files = [
            "endpoints.d/a.yaml": "endpoint: a\npath: /srv/a\naccepts: [X*]\nfolders: [{name: A}]\n",
            "endpoints.d/b.yaml": "endpoint: b\npath: /srv/ab\naccepts: [Y*]\nfolders: [{name: A}]\n",
        ]
        #expect(try load(files).endpoints.map(\.name) == ["a", "b"])
    }

    @Test(arguments: [
        ("sqlite:x.db", "sqlite:/srv/payroll/A/x.db"), ("sqlite:///srv/payroll/A/x.db", "sqlite:x.db"),
        ("postgresql:///d", "postgresql://me@localhost:5432/d?sslmode=require"),
        ("mariadb://H/d", "mariadb://h:3306/d?tls=required"), ("firebird://h/x", "firebird://H:3050/x"),
    ]) func `two folders on one database are told however it is written`(first: String, second: String) throws {
        let swap = second == "sqlite:x.db"
        let folders = """
              - {name: A, database: "\(swap ? second : first)"}
              - {name: B, parent: A, database: "\(swap ? first : second)"}
            """
        let found = try problems(endpoint(folders: folders))
        #expect(found.contains { $0.contains("has the database of payroll/A") }, "\(found)")
    }
}
