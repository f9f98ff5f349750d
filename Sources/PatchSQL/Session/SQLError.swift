public import PatchModel

/// Work on a database failed.
public struct SQLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where in a script or a file of rows.
    public struct Place: Hashable, Sendable {
        /// The file's name.
        public var file: String
        /// From 1; nil where it is no statement of a script.
        public var statement: Int?
        /// How many statements the script has.
        public var total: Int?
        /// From 1.
        public var line: Int
        /// The statement's first line, shortened; empty where it is no statement.
        public var summary: String

        /// A place from its parts.
        public init(file: String, statement: Int? = nil, total: Int? = nil, line: Int, summary: String = "") {
            self.file = file
            self.statement = statement
            self.total = total
            self.line = line
            self.summary = summary
        }
    }

    /// The contract's word: `sql`, `database`, `inUse`, `space` or `io`.
    public var code: FaultCode
    /// What was being done to what: `open the database "/srv/app.db"`.
    public var doing: String
    /// Nil where it is not about a place in a file.
    public var place: Place?
    /// In the database's words where it has any.
    public var cause: String
    /// What an admin can do; empty where the cause says it.
    public var wayOut: String
    /// Who holds the lock, with the code `inUse`.
    public var blockers: [Blocker]
    /// With the code `inUse`: it is this session itself that still uses the object, so ending others does not help; a
    /// new session does.
    public var isOwn: Bool

    /// An error from its parts.
    public init(
        _ code: FaultCode, _ doing: String, at place: Place? = nil, _ cause: String, wayOut: String = "",
        blockers: [Blocker] = [], isOwn: Bool = false
    ) {
        self.code = code
        self.doing = doing
        self.place = place
        self.cause = cause
        self.wayOut = wayOut
        self.blockers = blockers
        self.isOwn = isOwn
    }

    /// `cannot run 8.0.2.sql, statement 7 of 12, line 31 (ALTER TABLE pay …): near "COLUM": syntax error; …`.
    public var description: String {
        var text = "cannot \(doing)"
        if let place {
            if let statement = place.statement {
                text += ", statement \(statement)" + (place.total.map { " of \($0)" } ?? "")
            }
            text += ", line \(place.line)"
            if !place.summary.isEmpty { text += " (\(place.summary))" }
        }
        text += ": \(cause)"
        if !blockers.isEmpty { text += " by " + blockers.map(\.description).joined(separator: ", ") }
        return wayOut.isEmpty ? text : "\(text); \(wayOut)"
    }

    /// What stands in a job or a preflight.
    public func fault(folder: String) -> Fault { Fault(folder: folder, code, description) }
}
