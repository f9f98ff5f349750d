import PatchModel

extension StateDirectory {
    /// The updates that are marked unstable; none before the first was marked.
    public func unstable() throws(StoreError) -> UnstableUpdates {
        try read(UnstableUpdates.self, "unstable.json") ?? UnstableUpdates()
    }

    /// Replaces the record of what is marked unstable.
    public func write(_ unstable: UnstableUpdates) throws(StoreError) {
        try write(unstable, "unstable.json", mode: 0o644)
    }
}
