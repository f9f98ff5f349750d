/// One application installation on this host, as in its file in `endpoints.d/`, with every default filled in.
public struct Endpoint: Hashable, Codable, Sendable {
    /// What happens to a folder that fails.
    public enum OnFailure: String, Codable, Sendable { case hold, revert, revertAll }
    /// Whether folders below their reference folder's version are locked or may be used.
    public enum Behind: String, Codable, Sendable { case locked, usable }
    /// Whether other database sessions are ended before the update, or only when they are in the way.
    public enum Disconnect: String, Codable, Sendable { case always, onDemand }
    /// Whether a folder's own symlinked directories may be written through.
    public enum Links: String, Codable, Sendable { case deny, inside }
    /// Whether scripts are tried on a copy of the database: never by themselves, by each test, or before each update too.
    public enum Rehearse: String, Codable, Sendable { case off, test, always }
    /// Whether an approver has to approve each job.
    public enum Approval: String, Codable, Sendable { case none, required }

    /// `[A-Za-z0-9_-]{1,32}`, never `all`.
    public var name: String
    /// Absolute.
    public var path: String
    /// Globs of update names; nil only when it is the only endpoint of this host and has no such key.
    public var accepts: [String]?
    /// Units and commands to stop.
    public var tasks: Tasks
    /// Seconds for which 9998 is shown before 9999.
    public var leadTime: Double
    /// Seconds that applications get to leave by themselves.
    public var grace: Double
    /// See ``Disconnect``.
    public var disconnect: Disconnect
    /// Database roles whose sessions are never ended.
    public var spare: [String]
    /// `auto`, `none` or a command.
    public var backup: String
    /// The restore command; set exactly when `backup` is a command.
    public var restore: String
    /// See ``Links``.
    public var links: Links
    /// See ``OnFailure``.
    public var onFailure: OnFailure
    /// See ``Behind``.
    public var behind: Behind
    /// After how many failed folders of a job no further one is begun; 0: after none.
    public var maxFailures: Int
    /// The folders that go first in a job, with the ancestors that they need.
    public var canary: [String]
    /// See ``CanaryPause``.
    public var canaryPause: CanaryPause
    /// See ``Approval``.
    public var approval: Approval
    /// See ``Rehearse``.
    public var rehearse: Rehearse
    /// When jobs may start; empty: always.
    public var windows: [UpdateWindow]
    /// Seconds.
    public var scriptTimeout: Double
    /// Globs of files that are programs.
    public var programFiles: [String]
    /// Globs of programs that are specific.
    public var specificPrograms: [String]
    /// File extension to command.
    public var handlers: [String: String]
    /// Commands around each folder's update.
    public var hooks: Hooks
    /// The command that runs scripts in SQL; empty: patchd speaks to the databases itself.
    public var sql: String
    /// See ``Sandbox``.
    public var sandbox: Sandbox
    /// In the file's order; `version`, `modules` and `owner` are already inherited.
    public var folders: [Folder] { didSet { lineage = Lineage(folders) } }
    private var lineage: Lineage

    private enum CodingKeys: String, CodingKey {
        case name, path, accepts, tasks, leadTime, grace, disconnect, spare, backup, restore, links, onFailure, behind
        case maxFailures, canary, canaryPause, approval, rehearse, windows, scriptTimeout, programFiles
        case specificPrograms, handlers, hooks, sql, sandbox, folders
    }

    /// An endpoint with the contract's defaults.
    public init(name: String, path: String, folders: [Folder]) {
        self.name = name
        self.path = path
        self.folders = folders
        lineage = Lineage(folders)
        tasks = Tasks()
        leadTime = 0
        grace = 30
        disconnect = .always
        spare = []
        backup = "auto"
        restore = ""
        links = .deny
        onFailure = .hold
        behind = .locked
        maxFailures = 0
        canary = []
        canaryPause = .seconds(0)
        approval = .none
        rehearse = .off
        windows = []
        scriptTimeout = 3600
        programFiles = []
        specificPrograms = []
        handlers = [:]
        hooks = Hooks()
        sql = ""
        sandbox = Sandbox()
    }

    /// `tasks` of an endpoint.
    public struct Tasks: Hashable, Codable, Sendable {
        /// Unit names and globs; `%f` stands for the folder.
        public var stop: [String] = []
        /// Units that run instead for the time of the update.
        public var maintenance: [String] = []
        /// For what is no unit; empty for none.
        public var stopCommand = ""
        /// The counterpart of ``stopCommand``; empty for none.
        public var startCommand = ""
        /// Succeeds when nothing runs any more; empty for none.
        public var idleCheck = ""

        /// No tasks.
        public init() {}
    }

    /// `hooks` of an endpoint; empty strings are no hooks.
    public struct Hooks: Hashable, Codable, Sendable {
        /// Before a folder is changed.
        public var before = ""
        /// Before it is unlocked; a failure fails the folder.
        public var validate = ""
        /// After it is unlocked.
        public var after = ""

        /// No hooks.
        public init() {}
    }
}

extension Endpoint {
    /// Reads one, also as an older patchd recorded it: keys that it did not know get their defaults.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, into value: inout Value) throws {
            if let found = try keys.decodeIfPresent(Value.self, forKey: key) { value = found }
        }
        self.init(
            name: try keys.decode(String.self, forKey: .name), path: try keys.decode(String.self, forKey: .path),
            folders: try keys.decode([Folder].self, forKey: .folders))
        accepts = try keys.decodeIfPresent([String].self, forKey: .accepts)
        try read(.tasks, into: &tasks)
        try read(.leadTime, into: &leadTime)
        try read(.grace, into: &grace)
        try read(.disconnect, into: &disconnect)
        try read(.spare, into: &spare)
        try read(.backup, into: &backup)
        try read(.restore, into: &restore)
        try read(.links, into: &links)
        try read(.onFailure, into: &onFailure)
        try read(.behind, into: &behind)
        try read(.maxFailures, into: &maxFailures)
        try read(.canary, into: &canary)
        try read(.canaryPause, into: &canaryPause)
        try read(.approval, into: &approval)
        try read(.rehearse, into: &rehearse)
        try read(.windows, into: &windows)
        try read(.scriptTimeout, into: &scriptTimeout)
        try read(.programFiles, into: &programFiles)
        try read(.specificPrograms, into: &specificPrograms)
        try read(.handlers, into: &handlers)
        try read(.hooks, into: &hooks)
        try read(.sql, into: &sql)
        try read(.sandbox, into: &sandbox)
    }
}

/// One instance in an endpoint's tree.
public struct Folder: Hashable, Codable, Sendable {
    /// What role a folder has in its tree.
    public enum Role: String, Codable, Sendable { case supervisor, standard, test, specific }

    /// `[A-Za-z0-9_-]{1,32}`.
    public var name: String
    /// The reference folder's name; nil for the root.
    public var parent: String?
    /// The key `type`.
    public var role: Role
    /// The version before patchd's first update; a state file takes precedence. Nil where no version is given anywhere.
    public var version: Version?
    /// Patch types that the folder gets besides `$ROOT`.
    public var modules: [String]
    /// Absolute; the text has no `.`, `..` or doubled slashes.
    public var path: String
    /// A user's name; nil: the owner of the directory.
    public var owner: String?
    /// Not inherited.
    public var database: DatabaseReference?
    /// A file that says who logs in to the database, and with what password; nil: the owner's own files do.
    public var credentials: String?
    /// The same for an account whose rights end at the copy on which updates are rehearsed; nil: there is none.
    public var rehearseCredentials: String?
    /// False: left out of everything, with its descendants.
    public var active: Bool

    /// Memberwise.
    public init(
        name: String, parent: String?, role: Role = .standard, version: Version? = nil, modules: [String] = [],
        path: String, owner: String? = nil, database: DatabaseReference? = nil, credentials: String? = nil,
        rehearseCredentials: String? = nil, active: Bool = true
    ) {
        self.name = name
        self.parent = parent
        self.role = role
        self.version = version
        self.modules = modules
        self.path = path
        self.owner = owner
        self.database = database
        self.credentials = credentials
        self.rehearseCredentials = rehearseCredentials
        self.active = active
    }
}

extension Endpoint {
    /// The folders that take part in jobs: active, with no inactive ancestor; a parent always before its children.
    public var activeFolders: [Folder] { lineage.active }

    /// The names of a folder's descendants, without its own; parents first.
    public func descendants(of name: String) -> [String] { lineage.descendants(of: name) }

    /// A folder's parent, grandparent and so on up to the root.
    public func ancestors(of name: String) -> [String] { lineage.ancestors(of: name) }
}

/// `patchd.yaml`: the daemon.
public struct DaemonSettings: Hashable, Codable, Sendable {
    /// Whether archives must be signed.
    public enum Signature: String, Codable, Sendable {
        case auto, required, off

        /// Whether an archive is taken only with a good signature.
        ///
        /// - Parameter hasSigners: whether there is a file `allowed_signers`, whatever is in it.
        public func isRequired(hasSigners: Bool) -> Bool {
            switch self {
            case .auto: hasSigners
            case .required: true
            case .off: false
            }
        }
    }

    /// Folders updated at once; 0 stands for the number of CPUs.
    public var workers = 0
    /// Seconds without a write after which a malformed file is complete.
    public var settle: Double = 60
    /// See ``Signature``.
    public var signature = Signature.auto
    /// Jobs per endpoint whose archive and originals are kept.
    public var retain = 5
    /// The group whose members may approve and command.
    public var approvers = "patchd"
    /// Limits for archives.
    public var limits = Limits()
    /// The indexes of updates that are looked at.
    public var sources: [UpdateSource] = []
    /// Command run for each event; empty for none.
    public var notify = ""

    /// The contract's defaults.
    public init() {}
}

/// The whole configuration of this host.
public struct Configuration: Hashable, Codable, Sendable {
    /// `patchd.yaml`.
    public var daemon: DaemonSettings
    /// `endpoints.d/*.yaml`, by file name.
    public var endpoints: [Endpoint]
    /// Whether there was a file `allowed_signers`, whatever was in it.
    public var hasSigners: Bool

    /// Memberwise.
    public init(daemon: DaemonSettings = DaemonSettings(), endpoints: [Endpoint], hasSigners: Bool = false) {
        self.daemon = daemon
        self.endpoints = endpoints
        self.hasSigners = hasSigners
    }

    /// Whether an archive is taken only with a good signature.
    ///
    /// - Parameter hasSigners: whether there is a file `allowed_signers` now. Where it was there when the configuration was
    ///   read, one that is gone since is no leave to do without: an editor moves a file away before it writes it anew.
    public func requiresSignature(hasSigners: Bool) -> Bool {
        daemon.signature.isRequired(hasSigners: hasSigners || self.hasSigners)
    }
}
