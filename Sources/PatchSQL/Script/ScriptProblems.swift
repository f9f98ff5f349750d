import PatchModel

/// What keeps scripts from being run, as far as their words tell, for each database that patchd speaks.
public enum ScriptProblems {
    private static func session(_ dialect: String) -> (any Session.Type)? {
        switch dialect {
        case "sqlite": SQLiteSession.self
        case "postgresql": PostgreSQLSession.self
        case "mariadb": MariaDBSession.self
        case "firebird": FirebirdSession.self
        default: nil
        }
    }

    /// The names of the dialects.
    public static let dialects = DatabaseReference.schemes

    /// All that a database would refuse of a script.
    ///
    /// - Parameter dialect: one of ``dialects``.
    public static func all(in bytes: [UInt8], dialect: String) -> [SQLError] {
        guard let session = session(dialect) else { return [] }
        do throws(SQLError) {
            return session.problems(of: try SQLScript(bytes, name: "the script", dialect: session.dialect))
        } catch {
            return [error]
        }
    }

    /// What every one of the databases would refuse of it: the first problem of each; empty where one of them takes it.
    public static func common(in bytes: [UInt8]) -> [(dialect: String, problem: SQLError)] {
        var problems: [(dialect: String, problem: SQLError)] = []
        for dialect in dialects {
            guard let first = all(in: bytes, dialect: dialect).first else { return [] }
            problems.append((dialect, first))
        }
        return problems
    }
}
