import PatchJSON

/// What came out when the update's scripts were tried on copies (contract §12).
public struct Rehearsal: Hashable, Codable, Sendable {
    /// Each folder that has scripts or rows to run.
    public var folders: [FolderRehearsal]

    /// The rehearsal of these.
    public init(folders: [FolderRehearsal] = []) { self.folders = folders }
}

/// What came out in one folder.
public struct FolderRehearsal: Hashable, Codable, Sendable {
    /// One statement of a script in SQL; a script of another kind, or a file of rows, is one as a whole.
    public struct Statement: Hashable, Codable, Sendable {
        /// `upgrades/8.0.2.sql` in the patch; the file of rows in the archive.
        public var script: String
        /// From 1.
        public var line: Int
        /// How long it took.
        public var seconds: Double
        /// Its first line, shortened; empty where it is no statement.
        public var summary: String

        /// A statement from its parts.
        public init(script: String, line: Int, seconds: Double, summary: String = "") {
            self.script = script
            self.line = line
            self.seconds = seconds
            self.summary = summary
        }
    }

    /// What was left out.
    public struct Omission: Hashable, Codable, Sendable {
        /// The script; empty for all of the folder.
        public var script: String
        /// Why.
        public var reason: String

        /// An omission from its parts.
        public init(script: String = "", reason: String) {
            self.script = script
            self.reason = reason
        }
    }

    /// Why it failed.
    public struct Failure: Hashable, Codable, Sendable {
        /// The script; empty where it was none.
        public var script: String
        /// The contract's word.
        public var code: FaultCode
        /// For people.
        public var message: String

        /// A failure from its parts.
        public init(script: String, code: FaultCode, message: String) {
            self.script = script
            self.code = code
            self.message = message
        }
    }

    /// The folder's name.
    public var folder: String
    /// Whether something ran and nothing of it failed.
    public var ok = false
    /// How long all of it took, the copying too.
    public var seconds = 0.0
    /// What is known of the time for which the folder will be locked: its scripts, and the copy of its database where
    /// patchd makes one.
    public var downtimeSeconds = 0.0
    /// In the order in which they ran; of many, the slowest.
    public var statements: [Statement] = []
    /// How many more ran.
    public var statementsLeftOut = 0
    /// The first error; nil where there was none.
    @OrNull public var error: String?
    /// The code of the first error; nil where there was none.
    public var code: FaultCode?
    /// What was not tried.
    public var notRehearsed: [Omission] = []
    /// Scripts that cannot run a second time; nil where they were not run twice.
    public var notIdempotent: [Failure]?

    /// Statements that are kept.
    public static let statementLimit = 1000
    /// Entries of each other list that are kept.
    public static let listLimit = 100

    /// A folder in which nothing ran yet.
    public init(folder: String) {
        self.folder = folder
        error = nil
    }

    /// A folder of which nothing can be tried.
    public init(folder: String, notRehearsed reason: String) {
        self.init(folder: folder)
        notRehearsed = [Omission(reason: reason)]
    }

    /// What a test or a preflight is to fail with.
    public var faults: [Fault] {
        let first = error.map { [Fault(folder: folder, code ?? .script, "in the rehearsal: \($0)")] } ?? []
        return first
            + (notIdempotent ?? []).map {
                Fault(folder: folder, $0.code, "\($0.script) cannot run a second time: \($0.message)")
            }
    }

    /// What a report holds of it, whoever wrote it: lists have limits.
    public var limited: FolderRehearsal {
        var limited = self
        limited.statements = Array(statements.prefix(Self.statementLimit))
        limited.notRehearsed = Array(notRehearsed.prefix(Self.listLimit))
        limited.notIdempotent = notIdempotent.map { Array($0.prefix(Self.listLimit)) }
        return limited
    }
}

/// What a worker has to know to rehearse its folder's part of an update.
public struct RehearsalOrder: Hashable, Codable, Sendable {
    /// Bytes that may be copied of the database, and of the folder where blocks cannot be shared.
    public var limit: UInt64
    /// Whether each script runs a second time.
    public var isTwice: Bool
    /// The version that the copy is set to before the scripts run; nil: the folder's.
    public var from: Version?
    /// Whether the worker was given an account whose rights end at the copy.
    public var hasCredentials: Bool

    /// An order from its parts.
    public init(limit: UInt64, isTwice: Bool = false, from: Version? = nil, hasCredentials: Bool = false) {
        self.limit = limit
        self.isTwice = isTwice
        self.from = from
        self.hasCredentials = hasCredentials
    }
}
