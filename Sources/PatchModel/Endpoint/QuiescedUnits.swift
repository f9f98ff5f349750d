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

    /// One unit that is down.
    public struct Entry: Hashable, Codable, Sendable {
        /// Whether it ran before, so that it has to be started again.
        public var ranBefore: Bool
        /// Several where endpoints share it. Empty: it is being started again, which a crash may have interrupted.
        public var holders: [Holder]

        /// Memberwise.
        public init(ranBefore: Bool, holders: [Holder]) {
            self.ranBefore = ranBefore
            self.holders = holders
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

    /// Records units that an endpoint's job stops. For a unit that another endpoint has stopped before, the earlier
    /// record of whether it ran stays.
    public mutating func hold(_ found: [UnitHold], endpoint: String) {
        for hold in found {
            var entry = units[hold.unit] ?? Entry(ranBefore: false, holders: [])
            entry.ranBefore = entry.ranBefore || hold.isRunning
            for folder in hold.folders {
                let holder = Holder(endpoint: endpoint, folder: folder)
                if !entry.holders.contains(holder) { entry.holders.append(holder) }
            }
            units[hold.unit] = entry
        }
    }

    /// Releases what an endpoint holds, except for folders that stay locked.
    ///
    /// - Returns: the units that nobody holds any more, sorted; they are kept as on their way back until ``forget(_:)``.
    public mutating func release(endpoint: String, keeping locked: Set<String>) -> [String] {
        for name in units.keys {
            units[name]?.holders.removeAll { $0.endpoint == endpoint && !locked.contains($0.folder) }
        }
        return units.filter(\.value.holders.isEmpty).keys.sorted()
    }

    /// Removes units that were started again, unless they are held again by now.
    public mutating func forget(_ names: [String]) {
        for name in names where units[name]?.holders.isEmpty == true { units[name] = nil }
    }

    /// Whether an endpoint has something down.
    public func concerns(_ endpoint: String) -> Bool {
        units.values.contains { entry in entry.holders.isEmpty || entry.holders.contains { $0.endpoint == endpoint } }
            || maintenance.values.contains { $0.contains(endpoint) } || commands[endpoint] != nil
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

    /// Memberwise.
    public init(unit: String, isRunning: Bool, folders: [String]) {
        self.unit = unit
        self.isRunning = isRunning
        self.folders = folders
    }
}
