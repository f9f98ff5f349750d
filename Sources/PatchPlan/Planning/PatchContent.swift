import PatchModel

/// The steps of one patch before facts of a folder are known: the same for all folders, so they are computed once.
struct PatchContent {
    let patch: Patch
    /// Directories, parents first.
    private(set) var directories: [(path: ExactText, step: PlannedStep)] = []
    /// What goes away, before anything comes; what lies deeper first, so that a directory is empty of it by then.
    private(set) var deletions: [PlannedStep] = []
    /// Sorted by path.
    private(set) var files: [PlannedStep] = []
    /// Files for handlers, sorted by path.
    private(set) var handed: [PlannedStep] = []
    /// In the order in which they run.
    private(set) var scripts: [(name: ScriptName, step: PlannedStep)] = []
    /// In the order in which they would run: the last one first.
    private(set) var downgrades: [(name: ScriptName, step: PlannedStep)] = []
    /// In the order in which they run.
    private(set) var migrations: [(name: MigrationName, step: PlannedStep)] = []
    /// Their ways back, the last one first.
    private(set) var waysBack: [(name: MigrationName, step: PlannedStep)] = []
    /// What its `jobs.json` and `datafiles.json` say; nil where it has neither, and all its files are copied.
    let description: PatchDescription?
    /// With commands: everything in it, relative to its path.
    private(set) var entries: [ExactText: ContentEntry] = [:]
    /// Its `jobs.json` or `datafiles.json`, where an older check of the archive did not read it.
    private(set) var unread: String?
    private let keep: [Glob]

    /// Files that are routed by what folders already have; set when the endpoint's globs are known.
    var specific: [ExactText] = []
    private let handlers: Handlers

    /// - Parameters:
    ///   - entries: Of the checked tree, sorted by path.
    ///   - description: What its `jobs.json` and `datafiles.json` say; nil where it has neither.
    ///   - handlers: Of the endpoint.
    init(
        _ patch: Patch, entries: ArraySlice<ContentEntry>, description: PatchDescription?, handlers: Handlers
    ) {
        self.patch = patch
        self.description = description
        self.handlers = handlers
        let root = ExactText(patch.path)
        keep = patch.keep.map { Glob($0) }
        deletions = (patch.delete ?? []).map { ExactText($0) }.sorted(by: >).map { path in
            let path = path.description
            return PlannedStep(
                kind: .remove, path: path, patch: patch.name, source: "",
                keep: keep.contains { $0.matches(path: path) }, mayBeDirectory: true)
        }
        var known: [ExactText: ContentEntry?] = [:]
        for entry in entries {
            guard let path = ExactText(entry.path).relative(to: root) else { continue }
            if description?.commands != nil { self.entries[path] = entry }
            if take(script: path, entry) || take(migration: path, entry) { continue }
            if isDescription(path, entry) {
                if description == nil { unread = entry.path }
                continue
            }
            if description?.commands != nil { continue }
            let step = entry.kind == .directory ? nil : step(for: entry, at: path.description)
            if let step, step.kind == .handler {
                handed.append(step)
                continue
            }
            for parent in path.parents where known[parent] == nil { known[parent] = .some(nil) }
            if let step { files.append(step) } else { known[path] = entry }
        }
        directories = known.sorted { $0.key < $1.key }.map { path, entry in
            let step = PlannedStep(
                kind: .directory, path: path.description, patch: patch.name, source: "\(root)/\(path)",
                mode: entry?.mode)
            return (path, step)
        }
        scripts.sort { $0.name < $1.name }
        downgrades.sort { $0.name > $1.name }
        migrations.sort { $0.name < $1.name }
        waysBack.sort { $0.name > $1.name }
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

    private mutating func take(migration path: ExactText, _ entry: ContentEntry) -> Bool {
        let directory = ExactText(MigrationRule.directory)
        guard path.isBelow(directory) || entry.kind == .directory && path == directory else { return false }
        guard entry.kind == .file, let file = path.relative(to: directory)?.description,
            !file.utf8.contains(UInt8(ascii: "/")), let known = MigrationName.File(file),
            let name = MigrationName(file)
        else { return true }
        let step = PlannedStep(
            kind: .script, path: path.description, patch: patch.name, source: entry.path, size: entry.size,
            mode: entry.mode, sha256: entry.sha256,
            migration: MigrationRule(sequence: patch.type, anyOrder: patch.outOfOrder ?? false))
        if known.isWayBack { waysBack.append((name, step)) } else { migrations.append((name, step)) }
        return true
    }

    /// The step that brings a file to a target, or passes it to the handler of its extension.
    func step(for entry: ContentEntry, at path: String) -> PlannedStep {
        let command = handlers.command(for: ExactText(path))
        return PlannedStep(
            kind: command == nil ? .file : .handler, path: path, patch: patch.name, source: entry.path,
            size: entry.size,
            mode: entry.mode, sha256: entry.sha256,
            keep: command == nil && keep.contains { $0.matches(path: path) }, command: command)
    }

    /// Whether it is one of the two files at the patch's top that describe the others. They are not copied.
    private func isDescription(_ path: ExactText, _ entry: ContentEntry) -> Bool {
        entry.kind == .file && [PatchCommand.fileName, PatchData.fileName].contains { ExactText($0) == path }
    }
}
