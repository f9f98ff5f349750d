import PatchModel

/// Where in an archive the update is: which entry is the manifest, which prefix is removed from the names, what is
/// ignored.
struct ArchiveLayout {
    /// The manifest's index among the entries.
    private(set) var manifest: Int
    /// A top directory above everything; nil where the update is at the root.
    private(set) var top: ExactText?

    /// Finds `update.json` at the root or else exactly one `*.json` there; where the root has none and everything lies
    /// below one directory, in that (contract §4).
    init(_ entries: [ArchiveEntry]) throws(ArchiveFailure) {
        if let found = try Self.manifest(in: entries, below: nil) {
            manifest = found
            return
        }
        guard let top = Self.commonTop(entries), let found = try Self.manifest(in: entries, below: top) else {
            throw .refused(
                .manifestMissing,
                "there is no update.json at the archive's root, and no single other *.json; was the right directory packed?"
            )
        }
        self.top = top
        manifest = found
    }

    /// What macOS and Windows leave in directories: `__MACOSX/` at the root, `.DS_Store` and `Thumbs.db` anywhere. It
    /// is checked like everything else, and then ignored.
    static func isDropped(_ name: ExactText, isDirectory: Bool) -> Bool {
        let components = name.components
        if components.first?.elementsEqual("__MACOSX".utf8) == true, isDirectory || components.count > 1 { return true }
        guard !isDirectory, let last = components.last else { return false }
        return last.elementsEqual(".DS_Store".utf8) || last.elementsEqual("Thumbs.db".utf8)
    }

    /// The entry's path in the checked tree; nil where it is ignored, or is the common top itself, or the directory
    /// `./`.
    func path(of entry: ArchiveEntry) -> ExactText? {
        if entry.name.bytes.isEmpty || Self.isDropped(entry.name, isDirectory: entry.isDirectory) { return nil }
        guard let top else { return entry.name }
        return entry.name.relative(to: top)
    }

    private static func manifest(in entries: [ArchiveEntry], below top: ExactText?) throws(ArchiveFailure) -> Int? {
        let depth = top == nil ? 1 : 2
        let found = entries.indices.filter { index in
            let components = entries[index].name.components
            guard !entries[index].isDirectory, components.count == depth else { return false }
            return components.last?.suffix(5).elementsEqual(".json".utf8) ?? false
        }
        if let own = found.first(where: { entries[$0].name.components.last?.elementsEqual("update.json".utf8) ?? false }
        ) {
            return own
        }
        guard found.count < 2 else {
            throw .refused(
                .manifestMissing,
                "there is no update.json, and \(found.count) other *.json where only one could be the manifest")
        }
        return found.first
    }

    private static func commonTop(_ entries: [ArchiveEntry]) -> ExactText? {
        var top: ExactText?
        for entry in entries
        where !entry.name.bytes.isEmpty && !isDropped(entry.name, isDirectory: entry.isDirectory) {
            let components = entry.name.components
            guard let first = components.first, entry.isDirectory || components.count > 1 else { return nil }
            let name = ExactText(bytes: first)
            guard top == nil || top == name else { return nil }
            top = name
        }
        return top
    }
}
