import PatchFiles
import PatchModel

extension StateDirectory {
    /// `archives/<sha256>`, relative to the state directory.
    public static func place(ofArchive sha256: String) -> String { "archives/\(sha256)" }

    /// Lets the members of group patchd read an archive, which is to be kept, as it came, and what checking it found: who
    /// approves a job has to see the update's patches.
    ///
    /// - Parameter place: its directory, relative to the state directory.
    public func shareArchive(in place: String) throws(StoreError) {
        try share(place + "/archive.zip", mode: 0o640)
        if try exists(place + "/contents") { try share(place + "/contents", mode: 0o640) }
        try share(place, mode: 0o750)
    }

    /// What checking an archive found; nil when it is not kept.
    public func contents(ofArchive sha256: String) throws(StoreError) -> CheckedUpdate? {
        try contents(ofArchive: sha256, hasEntries: true)
    }

    /// An archive's manifest; nil when it is not kept.
    public func manifest(ofArchive sha256: String) throws(StoreError) -> Manifest? {
        try contents(ofArchive: sha256, hasEntries: false)?.manifest
    }

    private func contents(ofArchive sha256: String, hasEntries: Bool) throws(StoreError) -> CheckedUpdate? {
        let place = Self.place(ofArchive: sha256)
        var update: CheckedUpdate?
        var isWhole = false
        let isThere = try readLines(place + "/contents") { line in
            guard update != nil else {
                update = try CheckedUpdate.first(line)
                return hasEntries
            }
            isWhole = try update?.take(line) ?? false
            return true
        }
        guard isThere else {
            // Checked before the entries were lines.
            return try read(CheckedUpdate.self, place + "/contents.json")
        }
        guard let update, isWhole || !hasEntries else {
            throw damage(place + "/contents", CheckedUpdate.Damage("its end is missing"))
        }
        return update
    }

    /// Writes what checking found; `place` is relative to the state directory.
    public func write(_ update: CheckedUpdate, in place: String) throws(StoreError) {
        try writeLines(place + "/contents", mode: 0o600) { emit in try update.write(emit) }
    }

    /// The checked tree of an archive.
    public func tree(ofArchive sha256: String) throws(StoreError) -> Directory {
        guard try exists(Self.place(ofArchive: sha256) + "/tree") else {
            throw StoreError("archive \(sha256) is no longer kept in \(path)/archives: drop it again")
        }
        return try directory(Self.place(ofArchive: sha256) + "/tree")
    }
}
