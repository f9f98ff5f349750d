/// What one job would do to one endpoint: a value, computed without I/O, that `plan`, `test`, `apply` and the progress
/// display all read.
public struct EndpointPlan: Hashable, Codable, Sendable {
    /// The endpoint's name.
    public var endpoint: String
    /// Everything that prevents the job from starting; empty when it may start.
    public var faults: [Fault]
    /// What an admin should know although the job may start.
    public var warnings: [String]
    /// Folders that could no longer be used afterwards, because an ancestor would be raised above them.
    public var unusable: [String]
    /// What goes first; nil for nothing.
    public var canary: CanaryPlan?
    /// What the scripts may reach beyond their folders; nil for what all may.
    public var sandbox: Sandbox?
    /// Every active folder, parents first.
    public var folders: [FolderPlan]
    /// What came out when the scripts were tried on copies; nil where nobody asked for that.
    public var rehearsal: Rehearsal?

    /// Memberwise.
    public init(
        endpoint: String, faults: [Fault] = [], warnings: [String] = [], unusable: [String] = [],
        canary: CanaryPlan? = nil, folders: [FolderPlan]
    ) {
        self.canary = canary
        self.endpoint = endpoint
        self.faults = faults
        self.warnings = warnings
        self.unusable = unusable
        self.folders = folders
    }
}

/// What one job would do to one folder.
public struct FolderPlan: Hashable, Codable, Sendable {
    /// The folder's name.
    public var folder: String
    /// The reference folder's name; nil for the root.
    public var parent: String?
    /// Absolute.
    public var path: String
    /// `pending`, `upToDate` or `excluded`.
    public var state: FolderJob.State
    /// The version before; nil where none is known, which is a fault.
    public var from: Version?
    /// The version afterwards.
    public var to: Version
    /// For patches that are added later: the version before the update that they belong to, from which their scripts
    /// run. Nil: ``from``.
    public var scriptsFrom: Version?
    /// Whether the folder has a database, which then records its scripts.
    public var hasDatabase = false
    /// For each patch that aims at this folder, whether it will have been applied.
    public var patches: [String: Bool]
    /// In the order in which they are carried out.
    public var steps: [PlannedStep]
    /// The downgrades that the archive brings for a later undo, in descending order.
    public var downgrades: [PlannedStep]

    /// Memberwise.
    public init(
        folder: String, parent: String?, path: String, state: FolderJob.State, from: Version?, to: Version,
        patches: [String: Bool] = [:], steps: [PlannedStep] = [], downgrades: [PlannedStep] = []
    ) {
        self.folder = folder
        self.parent = parent
        self.path = path
        self.state = state
        self.from = from
        self.to = to
        self.patches = patches
        self.steps = steps
        self.downgrades = downgrades
    }

    /// A step by its number: steps are numbered from 0, downgrades follow them. Nil beyond both.
    public func step(_ number: Int) -> PlannedStep? {
        if steps.indices.contains(number) { return steps[number] }
        let rest = number - steps.count
        return downgrades.indices.contains(rest) ? downgrades[rest] : nil
    }
}

extension FolderPlan {
    /// Adds the statements of SQL scripts, by step.
    public mutating func show(_ statements: [Int: [String]]) {
        for (number, lines) in statements {
            if steps.indices.contains(number) { steps[number].statements = lines }
            let rest = number - steps.count
            if downgrades.indices.contains(rest) { downgrades[rest].statements = lines }
        }
    }
}

/// The smallest recorded unit of work in one folder, before it is done.
public struct PlannedStep: Hashable, Codable, Sendable {
    /// What a step does.
    public enum Kind: String, Codable, Sendable {
        /// Creates a directory that does not exist.
        case directory
        /// Writes a file.
        case file
        /// Removes a file; one that does not exist is no error.
        case remove
        /// Replaces the folder's `registry.json`.
        case registry
        /// Runs a script: a version-named one, or a migration.
        case script
        /// Loads rows of a CSV file into a table of the folder's database.
        case rows
        /// A file that the scripts of its patch find, and that does not come into the folder.
        case upload
        /// A file handed to the endpoint's handler for its extension, instead of being copied.
        case handler
        /// Runs a command of the admin's around the folder's update; its path is a ``Hook``.
        case hook

        /// Whether it runs something and leaves no original behind; the other kinds are switched.
        public var isRun: Bool {
            switch self {
            case .directory, .file, .remove, .registry: false
            case .script, .rows, .upload, .handler, .hook: true
            }
        }
    }

    /// What it does.
    public var kind: Kind
    /// Relative to the folder; for a script its name below `upgrades/` or `downgrades/`, for a migration its path below the
    /// patch's, for rows the table, for a handler's file the path to which it would be copied.
    public var path: String
    /// The patch that brings it.
    public var patch: String
    /// Relative to the checked tree.
    public var source: String
    /// In bytes.
    public var size: UInt64
    /// Permission bits asked for; nil: those of the file replaced, else 0644 (directories 0755).
    public var mode: UInt16?
    /// SHA-256 of the content; empty for a directory and for what is not in the tree.
    public var sha256: String
    /// Whether the file is the admin's own once changed: it then stays, and the new one is written beside it as
    /// `NAME.patchd-new`.
    public var keep: Bool
    /// Of a removal: whether a directory goes too, where patchd brought all that is in it; nil: only a file does.
    public var mayBeDirectory: Bool?
    /// The first line of each statement of a SQL script, shortened; nil before the script was read.
    public var statements: [String]?
    /// A handler's command line, as ``HandlerCommand`` reads it; a hook's shell command. Nil for other kinds, and in
    /// older plans.
    public var command: String?
    /// The change of the registry; nil for other kinds.
    public var registry: RegistryChange?
    /// How the rows are loaded; nil for other kinds.
    public var rows: RowRule?
    /// Of a migration and its way back; nil for every other step.
    public var migration: MigrationRule?

    /// Memberwise.
    public init(
        kind: Kind, path: String, patch: String, source: String, size: UInt64 = 0, mode: UInt16? = nil,
        sha256: String = "", keep: Bool = false, mayBeDirectory: Bool? = nil, command: String? = nil,
        registry: RegistryChange? = nil,
        rows: RowRule? = nil, migration: MigrationRule? = nil
    ) {
        self.kind = kind
        self.path = path
        self.patch = patch
        self.source = source
        self.size = size
        self.mode = mode
        self.sha256 = sha256
        self.keep = keep
        self.mayBeDirectory = mayBeDirectory
        self.command = command
        self.registry = registry
        self.rows = rows
        self.migration = migration
    }
}

/// When a command of the endpoint's `hooks` runs.
public enum Hook: String, CaseIterable, Sendable {
    /// Before the folder's first change.
    case before
    /// After its last change, while it is still locked.
    case validate
    /// After the folder is done and unlocked.
    case after
}

extension FolderPlan {
    /// The number of a hook's step; nil where the endpoint has none.
    public func number(of hook: Hook) -> Int? {
        steps.firstIndex { $0.kind == .hook && $0.path == hook.rawValue }
    }
}

/// `plan --json` and `test --json`.
public struct PlanReport: Hashable, Codable, Sendable {
    /// The form of this value.
    public var schema = 1
    /// The update's name.
    public var update: String
    /// What folders would have afterwards.
    public var version: Version
    /// One for each endpoint that takes the update.
    public var endpoints: [EndpointPlan]

    /// Memberwise.
    public init(update: String, version: Version, endpoints: [EndpointPlan]) {
        self.update = update
        self.version = version
        self.endpoints = endpoints
    }
}

extension FolderPlan {
    /// Reads one, also from a ledger or plan of an older patchd: keys that it did not know get the value that means the
    /// same.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            folder: try keys.decode(String.self, forKey: .folder),
            parent: try keys.decodeIfPresent(String.self, forKey: .parent),
            path: try keys.decode(String.self, forKey: .path),
            state: try keys.decode(FolderJob.State.self, forKey: .state),
            from: try keys.decodeIfPresent(Version.self, forKey: .from),
            to: try keys.decode(Version.self, forKey: .to),
            patches: try keys.decode([String: Bool].self, forKey: .patches),
            steps: try keys.decode([PlannedStep].self, forKey: .steps),
            downgrades: try keys.decodeIfPresent([PlannedStep].self, forKey: .downgrades) ?? [])
        scriptsFrom = try keys.decodeIfPresent(Version.self, forKey: .scriptsFrom)
        hasDatabase = try keys.decodeIfPresent(Bool.self, forKey: .hasDatabase) ?? false
    }
}

extension PlannedStep {
    /// Reads one, also from a ledger or plan of an older patchd: keys that it did not know get the value that means the
    /// same.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            kind: try keys.decode(Kind.self, forKey: .kind), path: try keys.decode(String.self, forKey: .path),
            patch: try keys.decode(String.self, forKey: .patch), source: try keys.decode(String.self, forKey: .source),
            size: try keys.decode(UInt64.self, forKey: .size),
            mode: try keys.decodeIfPresent(UInt16.self, forKey: .mode),
            sha256: try keys.decode(String.self, forKey: .sha256),
            keep: try keys.decodeIfPresent(Bool.self, forKey: .keep) ?? false)
        mayBeDirectory = try keys.decodeIfPresent(Bool.self, forKey: .mayBeDirectory)
        command = try keys.decodeIfPresent(String.self, forKey: .command)
        registry = try keys.decodeIfPresent(RegistryChange.self, forKey: .registry)
        rows = try keys.decodeIfPresent(RowRule.self, forKey: .rows)
        migration = try keys.decodeIfPresent(MigrationRule.self, forKey: .migration)
        statements = try keys.decodeIfPresent([String].self, forKey: .statements)
    }
}
