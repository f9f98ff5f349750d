/// What a step that is a migration has besides: which others it is numbered with.
public struct MigrationRule: Hashable, Codable, Sendable {
    /// The type of its patch: all migrations of one type are one sequence in a folder's database, whichever patch or
    /// update brings them.
    public var sequence: String
    /// The manifest's `outOfOrder`: whether it may run although its number is used or passed.
    public var anyOrder: Bool

    /// Where they lie in a patch.
    public static let directory = "migrations"

    /// Memberwise.
    public init(sequence: String, anyOrder: Bool = false) {
        self.sequence = sequence
        self.anyOrder = anyOrder
    }
}

extension StepKey {
    /// A migration's key. It names neither update nor version: whichever archive brings the migration, it is the same one.
    public init(migration name: MigrationName, in sequence: String) {
        self.init(update: "", patch: sequence, script: "\(name).sql")
    }

    /// The key of the mark that says up to which migration all are done, of every sequence.
    public init(markingUpTo name: MigrationName) { self.init(update: "", patch: "", script: "\(name).sql") }

    /// The migration that the key is of, or up to which it is a mark (``isMark``); nil for a script of an update.
    public var migration: MigrationName? { update.isEmpty ? MigrationName(script) : nil }

    /// Whether it says that all migrations up to one are done.
    public var isMark: Bool { update.isEmpty && patch.isEmpty && !script.isEmpty }
}

/// What is particular to a script, in a directory of versions or of migrations.
extension PlannedStep {
    /// What runs it; nil for a step that is no script.
    public var scriptKind: ScriptName.Kind? {
        guard kind == .script else { return nil }
        return migration == nil ? ScriptName(path)?.kind ?? .sh : .sql
    }

    /// The version that a version-named script is for; nil for any other step.
    public var scriptVersion: Version? { kind == .script && migration == nil ? ScriptName(path)?.version : nil }

    /// The name of a migration, or of the one whose way back it is; nil for any other step.
    public var migrationName: MigrationName? {
        migration == nil ? nil : MigrationName(String(path.dropFirst(MigrationRule.directory.utf8.count + 1)))
    }

    /// Whether it changes only the folder's database, so that restoring the copy undoes it.
    public var isInDatabase: Bool { kind == .rows || scriptKind == .sql }

    /// Where a script lies in its patch, for messages.
    ///
    /// - Parameter isWayBack: whether it is one of the plan's downgrades.
    public func scriptPlace(isWayBack: Bool) -> String {
        migration != nil ? path : (isWayBack ? "downgrades/" : "upgrades/") + path
    }
}
