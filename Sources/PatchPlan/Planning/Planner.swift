public import PatchModel

/// Computes what one job would do to one endpoint, from values alone (contract §4 to §7).
public struct Planner {
    private let update: CheckedUpdate
    let endpoint: Endpoint
    private let states: [String: FolderState]
    private let options: UpdateOptions
    let facts: [String: FolderFacts]
    private let unread: [Fault]
    private let isUnstable: Bool
    let contents: [PatchContent]
    let routing: Routing
    private var manifest: Manifest { update.manifest }

    /// A planner for one update on one endpoint.
    ///
    /// - Parameters:
    ///   - update: The checked archive.
    ///   - endpoint: Where it would be applied.
    ///   - states: By folder; where one is missing, the configuration's version counts.
    ///   - options: What was asked for; ``OptionsCheck`` has found them fit for update and endpoints.
    ///   - facts: By folder; what ``questions()`` asked for.
    ///   - unread: Why there are none of a folder.
    ///   - isUnstable: Whether an admin has marked the update; then only `force` applies it.
    public init(
        update: CheckedUpdate, endpoint: Endpoint, states: [String: FolderState], options: UpdateOptions,
        facts: [String: FolderFacts] = [:], unread: [Fault] = [], isUnstable: Bool = false
    ) {
        self.isUnstable = isUnstable
        self.update = update
        self.endpoint = endpoint
        self.states = states
        self.options = options
        self.facts = facts
        self.unread = unread
        let handlers = Handlers(endpoint.handlers)
        var contents = update.manifest.patches.map { patch in
            PatchContent(
                patch, entries: update.entries(below: patch.path),
                description: update.descriptions.first { $0.patch == patch.name }, handlers: handlers)
        }
        let paths = contents.map(\.places)
        let routing = Routing(endpoint, paths: paths.joined(), facts: facts)
        for (index, own) in paths.enumerated() { contents[index].specific = own.filter(routing.isSpecific) }
        self.contents = contents
        self.routing = routing
    }

    /// The plan, with every fault that can be seen without looking at the folders themselves.
    ///
    /// - Throws: ``Refusal`` with the code `optionsInvalid` when `only` names a folder that cannot be raised by itself. A
    ///   folder that lacks the dependency is no refusal, but a fault in the plan.
    public func plan() throws(Refusal) -> EndpointPlan {
        let selection = try Selection(endpoint: endpoint, options: options) { hasVersion($0) }
        var plan = EndpointPlan(
            endpoint: endpoint.name,
            warnings: patchWarnings(selection) + UpdateWarnings.lines(of: update, for: endpoint),
            folders: [])
        if endpoint.sandbox != Sandbox() { plan.sandbox = endpoint.sandbox }
        var raised: Set<String> = []
        for folder in endpoint.activeFolders {
            guard selection.names.contains(folder.name) else {
                plan.folders.append(left(folder))
                let isBelowRaised = endpoint.ancestors(of: folder.name).contains(where: raised.contains)
                if isBelowRaised, endpoint.behind == .locked, !hasVersion(folder.name) {
                    plan.unusable.append(folder.name)
                }
                continue
            }
            let (folderPlan, faults, warnings) = self.plan(for: folder)
            plan.folders.append(folderPlan)
            plan.warnings += warnings
            if isUnstable, !options.force, folderPlan.state == .pending { plan.faults.append(unstableFault(folder)) }
            plan.faults += faults
            guard folderPlan.state == .pending, !hasVersion(folder.name) else { continue }
            raised.insert(folder.name)
            if let parent = folder.parent, !raised.contains(parent), !hasVersion(parent) {
                plan.warnings.append("\(folder.name) runs ahead of its reference folder \(parent)")
            }
        }
        let canary = Canary(endpoint, plan, raised: raised)
        plan.canary = canary.choice
        plan.warnings += plan.canary.flatMap(canary.warning).map { [$0] } ?? []
        route(&plan)
        plan.warnings += copyWarnings(plan)
        return plan
    }

    // MARK: One folder

    private func plan(for folder: Folder) -> (FolderPlan, [Fault], warnings: [String]) {
        let current = version(of: folder.name)
        let aimed = contents.filter { aims($0.patch, at: folder) }
        let isThere = hasVersion(folder.name)
        let chosen = chosen(for: folder)
        var patches: [String: Bool] = [:]
        for content in aimed {
            patches[content.patch.name] =
                isOn(content.patch) || isThere && states[folder.name]?.patches[content.patch.name] == true
        }
        if isThere, chosen.isEmpty {
            return (line(for: folder, .upToDate, from: current, to: current ?? manifest.version, patches), [], [])
        }
        var plan = line(for: folder, .pending, from: current, to: manifest.version, patches)
        // A patch that is added later runs the scripts that it would have run with the others.
        if isThere { plan.scriptsFrom = before(folder) }
        let from = plan.scriptsFrom ?? current
        var faults = isThere ? [] : dependencyFaults(folder, version: current)
        if facts[folder.name] == nil, chosen.contains(where: { $0.needsFacts(of: folder) }) {
            faults.append(factsFault(folder))
        }
        var warnings = unaskedWarnings(chosen, folder: folder)
        var directories: Set<ExactText> = []
        var copied: Set<ExactText> = []
        var registry = facts[folder.name]?.registry ?? DataRegistry()
        for content in chosen {
            let share = content.share(of: folder, routing)
            var own = share.directories.map(\.step) + share.files
            copied.subtract(content.deletions.map { ExactText($0.path) })
            if content.description?.commands != nil {
                let commands = CommandPlan(
                    content, folder: folder, facts: facts[folder.name], registry: registry, copied: copied,
                    routing: routing)
                own = commands.steps
                registry = commands.registry
                copied = commands.copied
                // Without a known registry nothing can be said.
                if facts[folder.name] != nil || !content.needsRegistry { faults += commands.faults }
            } else {
                copied.formUnion(share.files.map { ExactText($0.path) })
            }
            own = content.deletions + own
            for step in own {
                let place = ExactText(step.path)
                if step.kind == .directory, !directories.insert(place).inserted { continue }
                plan.steps.append(step)
                // A directory that an earlier patch brings is replaced or removed; a later patch creates it again.
                if [.file, .remove].contains(step.kind), directories.contains(place) {
                    directories = directories.filter { $0 != place && !$0.isBelow(place) }
                }
            }
            func runs(_ name: ScriptName) -> Bool {
                from.map { $0 < name.version } ?? true && name.version <= manifest.version
            }
            plan.steps += share.handed
            let scripts = content.scripts.filter { runs($0.name) }
            let migrations = migrations(of: content, in: folder)
            plan.steps += scripts.map(\.step) + migrations.steps
            faults += migrations.faults
            warnings += migrations.warnings
            // An undo goes through the patches in reverse.
            plan.downgrades =
                migrations.waysBack + content.downgrades.filter { runs($0.name) }.map(\.step) + plan.downgrades
            faults += unreadFaults(content, folder: folder) + rowFaults(own, folder: folder)
            faults += databaseFaults(content, own, folder: folder)
        }
        plan.surround(with: endpoint.hooks)
        return (plan, faults, warnings)
    }

    /// The version that a folder had before the version that it has. A rollback to this version leaves a higher one
    /// there; then the update's dependency counts instead.
    private func before(_ folder: Folder) -> Version {
        guard let version = states[folder.name]?.previousVersion, version < manifest.version else {
            return manifest.dependency
        }
        return version
    }

    /// The patches that this job brings to a folder.
    func chosen(for folder: Folder) -> [PatchContent] {
        let isThere = hasVersion(folder.name)
        return contents.filter { content in
            aims(content.patch, at: folder) && isOn(content.patch)
                && !(isThere && isApplied(content.patch, to: folder.name))
        }
    }

    private func line(
        for folder: Folder, _ state: FolderJob.State, from: Version?, to: Version, _ patches: [String: Bool] = [:]
    ) -> FolderPlan {
        var plan = FolderPlan(
            folder: folder.name, parent: folder.parent, path: folder.path, state: state, from: from, to: to,
            patches: patches)
        plan.hasDatabase = folder.database != nil
        return plan
    }

    /// An excluded folder stays as it is.
    private func left(_ folder: Folder) -> FolderPlan {
        let current = version(of: folder.name)
        return line(for: folder, .excluded, from: current, to: current ?? manifest.version)
    }

    // MARK: Facts

    private func version(of folder: String) -> Version? {
        // The state takes precedence over the configuration.
        states[folder]?.version ?? endpoint.folders.first { $0.name == folder }?.version
    }

    private func hasVersion(_ folder: String) -> Bool {
        version(of: folder).map { $0 >= manifest.version } ?? false
    }

    private func aims(_ patch: Patch, at folder: Folder) -> Bool {
        (patch.type == Patch.everyFolder || folder.modules.contains(patch.type))
            && (patch.target == .all || folder.parent == nil)
    }

    private func isOn(_ patch: Patch) -> Bool {
        patch.mandatory || options.patches[patch.name] ?? patch.isOnByDefault
    }

    /// Whether a folder that has the version has a patch too. Which patches it got is known only of the last update;
    /// above its version, or where another update or an admin brought the version, they count as applied.
    private func isApplied(_ patch: Patch, to folder: String) -> Bool {
        guard let state = states[folder], state.update == manifest.name, state.version == manifest.version else {
            return true
        }
        return state.patches[patch.name] == true
    }

    // MARK: Faults

    private func unstableFault(_ folder: Folder) -> Fault {
        Fault(
            folder: folder.name, .unstable,
            "\(manifest.name) \(manifest.version) is marked unstable; apply it all the same with --force, or say that it is "
                + "stable with: patchctl mark-stable \(manifest.name)@\(manifest.version)")
    }

    private func dependencyFaults(_ folder: Folder, version: Version?) -> [Fault] {
        guard let version else {
            return [
                Fault(
                    folder: folder.name, .dependency,
                    "the version of \(folder.name) is not known, \(manifest.name) needs \(manifest.dependency) or later; "
                        + "say what it has with: patchctl baseline \(endpoint.name)/\(folder.name) VERSION")
            ]
        }
        guard version < manifest.dependency else { return [] }
        return [
            Fault(
                folder: folder.name, .dependency,
                "\(folder.name) has version \(version), \(manifest.name) needs \(manifest.dependency) or later; "
                    + "first apply the update that brings \(manifest.dependency), or exclude \(folder.name)")
        ]
    }

    func factsFault(_ folder: Folder) -> Fault {
        unread.first { $0.folder == folder.name }
            ?? Fault(
                folder: folder.name, .io,
                "\(folder.name) was not looked at, and what \(manifest.name) does there depends on what it has; "
                    + "look at it with: patchctl plan")
    }

    /// An older patchd may have checked an archive that is still kept.
    private func unreadFaults(_ content: PatchContent, folder: Folder) -> [Fault] {
        guard let place = content.unread else { return [] }
        return [
            Fault(
                folder: folder.name, .script,
                "\(place) was not read when the archive was checked, by an earlier version of patchd; "
                    + "drop the archive again")
        ]
    }

    /// Rows need a database, and one that patchd speaks.
    private func rowFaults(_ steps: [PlannedStep], folder: Folder) -> [Fault] {
        if folder.database != nil, endpoint.sql.isEmpty { return [] }
        let wayOut =
            folder.database == nil
            ? "a database, and the folder has none; give it a \"database\" in the configuration, or exclude \(folder.name)"
            : "a database that patchd speaks, and \"sql\" runs scripts only; exclude \(folder.name), or switch the patch off"
        return steps.filter { $0.kind == .rows }.map { step in
            Fault(folder: folder.name, .database, "rows of \(step.path) (\(step.source)) need \(wayOut)")
        }
    }

    /// The file of an `sqlite:` URL is never a target (contract §4).
    private func databaseFaults(_ content: PatchContent, _ steps: [PlannedStep], folder: Folder) -> [Fault] {
        guard let files = folder.database?.files(in: folder.path), !files.isEmpty else { return [] }
        let targets = steps.filter { [.file, .remove].contains($0.kind) }
        let database = targets.first { step in
            let path = ExactText(step.path)
            return files.contains(path) || step.mayBeDirectory == true && files.contains { $0.isBelow(path) }
        }?.path
        guard let database else { return [] }
        return [
            Fault(
                folder: folder.name, .database,
                "\(content.patch.path)/\(database) would replace or remove the folder's database; "
                    + "switch the patch \(content.patch.name) off or exclude \(folder.name)")
        ]
    }

    /// `backup: auto`, the default, makes no copy of a database that patchd does not speak.
    private func copyWarnings(_ plan: EndpointPlan) -> [String] {
        guard endpoint.copies != endpoint.backup,
            plan.folders.contains(where: { $0.hasDatabase && $0.steps.contains { $0.scriptKind == .sql } })
        else { return [] }
        return [
            "no copy of the databases is made: \"backup: auto\" copies none that \"sql\" runs; name commands (backup, restore), "
                + "or say \"backup: none\""
        ]
    }

    private func patchWarnings(_ selection: Selection) -> [String] {
        let folders = endpoint.activeFolders.filter { selection.names.contains($0.name) }
        return manifest.patches.filter { patch in
            options.patches[patch.name] == true && UpdateWarnings.isKnown(patch.type, by: [endpoint])
                && !folders.contains { aims(patch, at: $0) }
        }.map { "the patch \($0.name) was asked for, but aims at no folder of this job" }
    }
}

extension CheckedUpdate {
    /// The entries below a directory; entries are sorted, so they are neighbours.
    fileprivate func entries(below directory: String) -> ArraySlice<ContentEntry> {
        let first = Array("\(directory)/".utf8)
        var (low, high) = (entries.startIndex, entries.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path.utf8.lexicographicallyPrecedes(first) { low = middle + 1 } else { high = middle }
        }
        return entries[low...].prefix { $0.path.utf8.starts(with: first) }
    }
}
