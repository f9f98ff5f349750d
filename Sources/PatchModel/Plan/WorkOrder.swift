/// What a worker has to do in one folder: the first record of its ledger, so that a worker that is started again needs
/// nothing else.
public struct WorkOrder: Hashable, Codable, Sendable {
    /// The job's number.
    public var job: Int
    /// The job's place in the order of the endpoint's jobs (``Job/turn``); nil: its number.
    public var turn: Int?
    /// The endpoint's name.
    public var endpoint: String
    /// The update's name.
    public var update: String
    /// Seconds that one script may take.
    public var scriptTimeout: Double
    /// How many bytes of a step's output are kept.
    public var outputLimit: Int
    /// The folder and its steps.
    public var plan: FolderPlan
    /// Whether the folder's own symlinked directories may be written through.
    public var links: Endpoint.Links
    /// The folder's database; nil where it has none.
    public var database: DatabaseOrder?
    /// The lock that the database has to show; nil for none. For the phase `show` only.
    public var lock: UpdateLock?
    /// Of a rollback: the jobs to undo, newest first. The plan then has no steps; its `to` is the version before the
    /// oldest of them.
    public var undo: [UndoneJob]
    /// How the folder's part is rehearsed; nil where it is not.
    public var rehearsal: RehearsalOrder?
    /// Of the phase `facts`: the paths, relative to the folder, that are looked for (``FolderFacts/present``). The plan's
    /// steps are then the migrations that the database is asked for. Nil in every other order.
    public var ask: [String]?
    /// Of the phase `baseline`: the name of the migration up to which all count as done; nil: nothing is said of them.
    public var mark: String?

    /// Memberwise.
    public init(
        job: Int, turn: Int? = nil, endpoint: String, update: String, scriptTimeout: Double,
        outputLimit: Int = Limits().output, links: Endpoint.Links = .deny, plan: FolderPlan,
        database: DatabaseOrder? = nil, undo: [UndoneJob] = [],
        ask: [String]? = nil
    ) {
        self.job = job
        self.turn = turn
        self.endpoint = endpoint
        self.update = update
        self.scriptTimeout = scriptTimeout
        self.outputLimit = outputLimit
        self.links = links
        self.plan = plan
        self.database = database
        self.undo = undo
        self.ask = ask
    }
}

extension WorkOrder {
    /// Reads one, also from a ledger or plan of an older patchd: keys that it did not know get the value that means the
    /// same.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            job: try keys.decode(Int.self, forKey: .job), turn: try keys.decodeIfPresent(Int.self, forKey: .turn),
            endpoint: try keys.decode(String.self, forKey: .endpoint),
            update: try keys.decode(String.self, forKey: .update),
            scriptTimeout: try keys.decode(Double.self, forKey: .scriptTimeout),
            outputLimit: try keys.decodeIfPresent(Int.self, forKey: .outputLimit) ?? Limits().output,
            links: try keys.decodeIfPresent(Endpoint.Links.self, forKey: .links) ?? .deny,
            plan: try keys.decode(FolderPlan.self, forKey: .plan),
            database: try keys.decodeIfPresent(DatabaseOrder.self, forKey: .database),
            undo: try keys.decodeIfPresent([UndoneJob].self, forKey: .undo) ?? [],
            ask: try keys.decodeIfPresent([String].self, forKey: .ask))
        rehearsal = try keys.decodeIfPresent(RehearsalOrder.self, forKey: .rehearsal)
        lock = try keys.decodeIfPresent(UpdateLock.self, forKey: .lock)
        mark = try keys.decodeIfPresent(String.self, forKey: .mark)
    }
}
