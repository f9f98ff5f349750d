public import PatchModel

/// Looks through the SQL of one script.
public struct SQLCheck {
    /// Bytes that are held of one script.
    public var limit: Int
    /// What is to be said of it.
    public var findings: (_ place: String, _ text: [UInt8]) -> [Finding]

    /// Memberwise.
    public init(limit: Int, findings: @escaping (_ place: String, _ text: [UInt8]) -> [Finding]) {
        self.limit = limit
        self.findings = findings
    }
}

/// Looks through the scripts of an archive while their data streams by. What is wrong with one refuses no archive: the
/// vendor learns of it from `lint`, an admin from the preflight of the folders that would run it.
struct ScriptTexts {
    private let directories: [(path: ExactText, isOfMigrations: Bool)]
    private let sql: SQLCheck?
    private var current: (path: ExactText, check: ScriptTextCheck, text: [UInt8]?)?
    private(set) var findings: [Finding] = []

    init(_ manifest: Manifest, _ sql: SQLCheck?) {
        self.sql = sql
        directories = manifest.patches.flatMap { patch in
            ["upgrades", "downgrades", MigrationRule.directory].map {
                (ExactText("\(patch.path)/\($0)"), $0 == MigrationRule.directory)
            }
        }
    }

    /// Begins a file; nil for one that is not kept.
    mutating func begin(_ path: ExactText?) {
        guard let path,
            let (name, isOfMigrations) = directories.lazy.compactMap({ directory in
                path.relative(to: directory.path).map { ($0.description, directory.isOfMigrations) }
            }).first,
            let kind = isOfMigrations ? Self.migration(name) : ScriptName(name)?.kind
        else { return }
        current = (path, ScriptTextCheck(kind), kind == .sql && sql != nil ? [] : nil)
    }

    private static func migration(_ name: String) -> ScriptName.Kind? {
        MigrationName.File(name) != nil && !name.utf8.contains(UInt8(ascii: "/")) ? .sql : nil
    }

    mutating func take(_ block: UnsafeRawBufferPointer) {
        current?.check.take(block)
        if let sql, let held = current?.text?.count {
            current?.text?.append(contentsOf: block.prefix(sql.limit - held))
        }
    }

    mutating func end() {
        defer { current = nil }
        guard let (path, check, text) = current else { return }
        if let sql, let text { findings += sql.findings(path.description, text) }
        guard let problem = check.problem else { return }
        findings.append(
            Finding(level: .error, code: "scriptSyntax", place: path.description, message: problem))
    }
}
