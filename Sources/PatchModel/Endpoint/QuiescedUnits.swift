/// `STATE/units.json`: the units that patchd has stopped and keeps stopped, and those that it has to start again.
public struct QuiescedUnits: Hashable, Codable, Sendable {
    /// A folder for which a unit is down; for endpoint-wide units that is the root folder.
    public struct Holder: Hashable, Codable, Sendable {
        /// The endpoint's name.
        public var endpoint: String
        /// The folder's name.
        public var folder: String

        /// Memberwise.
        public init(endpoint: String, folder: String) {
            self.endpoint = endpoint
            self.folder = folder
        }
    }

    /// A unit that nobody keeps down any more and that has to run again.
    public struct Due: Hashable, Codable, Sendable {
        /// The endpoints whose jobs stopped it.
        public var endpoints: [String]
        /// Why it does not run; empty as long as nobody tried to start it.
        public var problem: String
        /// Since when that is known; nil as long as it is not.
        public var since: Timestamp?

        /// A unit that nobody tried to start yet.
        public init(endpoints: [String], problem: String = "", since: Timestamp? = nil) {
            self.endpoints = endpoints
            self.problem = problem
            self.since = since
        }
    }

    /// One unit that is down.
    public struct Entry: Hashable, Codable, Sendable {
        /// Whether it ran before, so that it has to be started again.
        public var ranBefore: Bool
        /// Several where endpoints share it. Empty: it is on its way back.
        public var holders: [Holder]
        /// Units that it starts, so that it has to be started before them.
        public var triggers: [String]
        /// Units that need it, so that systemd stops them with it.
        public var stopsAlong: [String]
        /// For whom it has to come back, and what keeps it from that; nil until it was first on its way back.
        public var due: Due?

        /// Memberwise.
        public init(
            ranBefore: Bool, holders: [Holder], triggers: [String] = [], stopsAlong: [String] = [], due: Due? = nil
        ) {
            self.ranBefore = ranBefore
            self.holders = holders
            self.triggers = triggers
            self.stopsAlong = stopsAlong
            self.due = due
        }

        /// Reads an entry, also one of a build that did not record how units depend on each other.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            ranBefore = try container.decode(Bool.self, forKey: .ranBefore)
            holders = try container.decode([Holder].self, forKey: .holders)
            triggers = try container.decodeIfPresent([String].self, forKey: .triggers) ?? []
            stopsAlong = try container.decodeIfPresent([String].self, forKey: .stopsAlong) ?? []
            due = try container.decodeIfPresent(Due.self, forKey: .due)
        }

        /// Whether it is on its way back for an endpoint; one that nobody is known for is anybody's.
        fileprivate func returns(for endpoint: String) -> Bool {
            holders.isEmpty && due?.endpoints.contains(endpoint) != false
        }
    }

    /// The form of this file.
    public var schema = 1
    /// By unit.
    public var units: [String: Entry]
    /// Units that were started for the time of an update, by unit: the endpoints that want them.
    public var maintenance: [String: [String]]
    /// Endpoints whose `stopCommand` was started, so that `startCommand` is due, with the boot in which it ended; empty
    /// before that.
    public var commands: [String: String]

    /// Nothing is down.
    public init() {
        units = [:]
        maintenance = [:]
        commands = [:]
    }

    /// Records units that an endpoint's job stops. What was stopped before is remembered as it was then.
    public mutating func hold(_ found: [UnitHold], endpoint: String) {
        for hold in found {
            var entry = units[hold.unit] ?? Entry(ranBefore: false, holders: [])
            entry.ranBefore = entry.ranBefore || hold.isRunning && hold.comesBack
            entry.triggers = Set(entry.triggers).union(hold.triggers).sorted()
            entry.stopsAlong = Set(entry.stopsAlong).union(hold.stopsAlong).sorted()
            for folder in hold.folders {
                let holder = Holder(endpoint: endpoint, folder: folder)
                if !entry.holders.contains(holder) { entry.holders.append(holder) }
            }
            units[hold.unit] = entry
        }
    }

    /// Releases what an endpoint holds, except for folders that stay locked.
    ///
    /// - Returns: the units that nobody holds any more and that were stopped for this endpoint, sorted; they are kept as on
    ///   their way back until ``forget(_:)``.
    public mutating func release(endpoint: String, keeping locked: Set<String>) -> [String] {
        for (name, entry) in units where entry.holders.contains(where: { $0.endpoint == endpoint }) {
            units[name]?.holders.removeAll { $0.endpoint == endpoint && !locked.contains($0.folder) }
            guard units[name]?.holders.isEmpty == true else { continue }
            var due = entry.due ?? Due(endpoints: [])
            due.endpoints = Set(due.endpoints).union([endpoint]).sorted()
            units[name]?.due = due
        }
        return units.filter { $0.value.returns(for: endpoint) }.keys.sorted()
    }

    /// Removes units that were started again, unless they are held again by now.
    public mutating func forget(_ names: [String]) {
        for name in names where units[name]?.holders.isEmpty == true { units[name] = nil }
    }

    /// Records that units do not come up, unless somebody holds them again by now.
    ///
    /// - Parameters:
    ///   - problems: by unit, why.
    ///   - endpoint: whose job has to bring them back.
    public mutating func fail(_ problems: [String: String], for endpoint: String, at now: Timestamp) {
        for (name, problem) in problems where units[name]?.holders.isEmpty == true {
            var due = units[name]?.due ?? Due(endpoints: [endpoint])
            due.problem = problem
            due.since = due.since ?? now
            units[name]?.due = due
        }
    }

    /// The units that ran before, should run again, and do not, with what is known of it.
    public var down: [String: Due] {
        units.compactMapValues { entry in
            entry.ranBefore && entry.holders.isEmpty && entry.due?.problem.isEmpty == false ? entry.due : nil
        }
    }

    /// Of units that do not come up, one that a unit needs.
    public func need(of name: String, among problems: Set<String>) -> String? {
        problems.sorted().first { units[$0]?.stopsAlong.contains(name) == true }
    }

    /// Whether an endpoint has something down.
    public func concerns(_ endpoint: String) -> Bool {
        units.values.contains { entry in
            entry.returns(for: endpoint) || entry.holders.contains { $0.endpoint == endpoint }
        } || maintenance.values.contains { $0.contains(endpoint) } || commands[endpoint] != nil
    }

    /// All endpoints for which something is down.
    public var endpoints: Set<String> {
        Set(units.values.flatMap { entry in entry.holders.map(\.endpoint) + (entry.due?.endpoints ?? []) })
            .union(maintenance.values.joined()).union(commands.keys)
    }
}

/// A unit to be stopped, and for which folders.
public struct UnitHold: Hashable, Sendable {
    /// Its name.
    public var unit: String
    /// Whether it runs now.
    public var isRunning: Bool
    /// The folders it belongs to; the root folder for an endpoint-wide unit.
    public var folders: [String]
    /// Whether it is started again if it runs now; false for what serves one connection of a socket.
    public var comesBack: Bool
    /// Units that it starts.
    public var triggers: [String]
    /// Units that need it.
    public var stopsAlong: [String]

    /// Memberwise.
    public init(
        unit: String, isRunning: Bool, folders: [String], comesBack: Bool = true, triggers: [String] = [],
        stopsAlong: [String] = []
    ) {
        self.unit = unit
        self.isRunning = isRunning
        self.folders = folders
        self.comesBack = comesBack
        self.triggers = triggers
        self.stopsAlong = stopsAlong
    }
}
