/// What follows from a job's fields. Only here are they read together.
extension Job {
    /// The same job with other options, to be planned.
    public func with(_ options: UpdateOptions) -> Job {
        var other = self
        other.options = options
        return other
    }

    /// Whether it has changed, or begun to change, some folder.
    public var hasBegun: Bool {
        folders.values.contains(where: \.hasBegun)
    }

    /// Whether it has come to its locks.
    public var isLocking: Bool {
        announcedAt != nil || triedAt != nil || disconnectedAt != nil
            || folders.values.contains { $0.state == .running }
            || state == .failed && isHolding
    }

    /// Whether some folder waits for it, or is being changed.
    public var hasOpenFolders: Bool { folders.values.contains { [.pending, .running].contains($0.state) } }

    /// Whether its scripts are tried on copies before anything else.
    public func isRehearsed(on endpoint: Endpoint) -> Bool {
        guard rollback == nil else { return false }
        return options.rehearse != nil || endpoint.rehearse == .always
            || endpoint.rehearse == .test && operation == .test
    }

    /// Its place among the jobs of its endpoint. Jobs from before there were turns ran in the order of their numbers.
    public var order: Int { turn ?? job }

    /// What its folders show while they are changed.
    public var lockPhase: UpdateLock.Phase { rollback == nil ? .updating : .reverting }

    /// What a folder that it is about to change, or changes, shows now.
    public func phase(of folder: String) -> UpdateLock.Phase {
        if triedAt != nil, rollback == nil {
            let own = folders[folder]
            // Whoever is in the way in the database has his time although nobody is inside the folder.
            if own?.admittedAt != nil, own?.message.isEmpty == true { return lockPhase }
            return own?.disconnectedAt == nil ? .trying : .disconnect
        }
        if hasBegunPart || quiescedAt != nil { return lockPhase }
        return disconnectedAt == nil ? .announced : .disconnect
    }

    /// Whether applications may still work in a folder while its scripts run.
    public func isTrying(_ folder: String) -> Bool {
        triedAt != nil && rollback == nil && folders[folder]?.admittedAt == nil
    }

    /// Whether another archive of the same update and version corrects this job's.
    public func isCorrected(by other: Job) -> Bool {
        other.update == update && other.version == version && other.sha256 != sha256 && rollback == nil
            && other.operation == .apply
    }

    /// Whether nothing of it is left to resume: what failed was undone, and later jobs may have updated since what was
    /// blocked by it.
    public var isSettled: Bool {
        !isHolding && folders.values.contains { [.reverted, .blocked].contains($0.state) }
    }

    /// Whether it failed in some folder and holds it until an admin acts.
    public var isHolding: Bool { folders.values.contains { $0.state == .failed } }
}
