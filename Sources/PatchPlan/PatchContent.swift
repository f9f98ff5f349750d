import PatchModel

/// The steps of one patch before a folder is looked at: the same for all folders, so they are computed once.
struct PatchContent {
    let patch: Patch
    /// Directories, parents first.
    private(set) var directories: [(path: ExactText, step: PlannedStep)] = []
    /// Sorted by path.
    private(set) var files: [PlannedStep] = []
    /// What goes to a handler instead of being copied, sorted by path.
    private(set) var handed: [PlannedStep] = []
    /// In the order in which they run.
    private(set) var scripts: [(name: ScriptName, step: PlannedStep)] = []
    /// In the order in which they would run: the last one first.
    private(set) var downgrades: [(name: ScriptName, step: PlannedStep)] = []
    /// The files at its top that say what becomes of the others, as far as it has them.
    private(set) var descriptions: [String] = []

    /// Files that go to folders by what these have already; known when the endpoint's globs are.
    var specific: [ExactText] = []

    /// Whether what it does depends on what a folder has (``FolderFacts``).
    var needsFacts: Bool { descriptions.contains(PatchCommand.fileName) || !specific.isEmpty }

    /// - Parameters:
    ///   - entries: Of the checked tree, sorted by path.
    ///   - handlers: Of the endpoint.
    init(_ patch: Patch, entries: ArraySlice<ContentEntry>, handlers: Handlers) {
        self.patch = patch
        let root = ExactText(patch.path)
        let keep = patch.keep.map { Glob($0) }
        var known: [ExactText: ContentEntry?] = [:]
        for entry in entries {
            guard let path = ExactText(entry.path).relative(to: root) else { continue }
            if take(script: path, entry) || take(description: path, entry) { continue }
            if entry.kind == .directory {
                known[path] = entry
                for parent in path.parents where known[parent] == nil { known[parent] = .some(nil) }
                continue
            }
            var step = PlannedStep(
                kind: .file, path: path.description, patch: patch.name, source: entry.path, size: entry.size,
                mode: entry.mode, sha256: entry.sha256)
            if let command = handlers.command(for: path) {
                step.kind = .handler
                step.command = command
                handed.append(step)
            } else {
                for parent in path.parents where known[parent] == nil { known[parent] = .some(nil) }
                step.keep = keep.contains { $0.matches(path: step.path) }
                files.append(step)
            }
        }
        // What commands are to do with the files is not built yet; copying them all would be wrong.
        if descriptions.contains(PatchCommand.fileName) {
            files = []
            handed = []
            known = [:]
        }
        directories = known.sorted { $0.key < $1.key }.map { path, entry in
            let step = PlannedStep(
                kind: .directory, path: path.description, patch: patch.name, source: "\(root)/\(path)",
                mode: entry?.mode)
            return (path, step)
        }
        scripts.sort { $0.name < $1.name }
        downgrades.sort { $0.name > $1.name }
    }

    private mutating func take(script path: ExactText, _ entry: ContentEntry) -> Bool {
        let (upgrades, downgrades) = (ExactText("upgrades"), ExactText("downgrades"))
        // A plain file of that name is nothing special.
        guard
            path.isBelow(upgrades) || path.isBelow(downgrades)
                || entry.kind == .directory && [upgrades, downgrades].contains(path)
        else { return false }
        let name = path.relative(to: upgrades) ?? path.relative(to: downgrades)
        if entry.kind == .file, let name = name?.description, let script = ScriptName(name) {
            let step = PlannedStep(
                kind: .script, path: name, patch: patch.name, source: entry.path, size: entry.size, mode: entry.mode,
                sha256: entry.sha256)
            if path.isBelow(upgrades) { scripts.append((script, step)) } else { self.downgrades.append((script, step)) }
        }
        return true
    }

    private mutating func take(description path: ExactText, _ entry: ContentEntry) -> Bool {
        guard entry.kind == .file,
            let name = [PatchCommand.fileName, PatchData.fileName].first(where: { ExactText($0) == path })
        else { return false }
        descriptions.append(name)
        return true
    }
}
