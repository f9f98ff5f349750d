import PatchJSON
import PatchModel

/// The steps of a patch's `jobs.json` in one folder (contract §4), in the commands' order, with one for the folder's
/// registry at the end.
struct CommandPlan {
    private(set) var steps: [PlannedStep] = []
    private(set) var faults: [Fault] = []
    /// The registry after the commands, for those of the next patch.
    private(set) var registry: DataRegistry
    /// Targets of files that the job brings as files and not as a table's or form's: they stay, whatever the registry
    /// says.
    private(set) var copied: Set<ExactText>

    private let content: PatchContent
    /// The files, among those that were asked for, that the folder has.
    private let present: Set<ExactText>
    private let folder: Folder
    private let routing: Routing

    /// - Parameters:
    ///   - facts: The folder's, before the job.
    ///   - registry: The folder's, as the patches before leave it.
    ///   - copied: What the patches before bring as files.
    ///   - routing: Whether the folder gets a file that a command brings.
    init(
        _ content: PatchContent, folder: Folder, facts: FolderFacts?, registry: DataRegistry,
        copied: Set<ExactText>, routing: Routing
    ) {
        self.content = content
        present = facts?.present ?? []
        self.folder = folder
        self.registry = registry
        self.copied = copied
        self.routing = routing
        for command in content.description?.commands ?? [] { add(command) }
        if content.needsRegistry, let facts { addRegistry(facts) }
    }

    private mutating func add(_ command: PatchCommand) {
        guard let name = command.arguments.first else { return }
        switch command.verb {
        case .filecopy, .filecopyto: copy(name, to: command.arguments.last ?? name)
        case .fileupload: if let step = content.step(uploading: name) { steps.append(step) }
        case .filedelete: remove(name)
        case .installdata, .replacedata, .installorreplacedata: bringTable(name, command.verb)
        case .deletedata: deleteTable(name)
        case .installform, .replaceform, .installorreplaceform: bringForm(name, command)
        }
    }

    // MARK: Files

    private mutating func bring(_ source: String, to path: String) {
        guard routing.takes(ExactText(path), in: folder) else { return }
        for step in content.steps(bringing: source, to: path) { steps.append(step) }
    }

    private mutating func copy(_ source: String, to path: String) {
        bring(source, to: path)
        if steps.last?.kind == .file, steps.last?.path == path { copied.insert(ExactText(path)) }
    }

    private mutating func remove(_ path: String) {
        copied.remove(ExactText(path))
        steps.append(PlannedStep(kind: .remove, path: path, patch: content.patch.name, source: ""))
    }

    /// Removes files that nothing in the registry names any more, and that the job does not bring otherwise.
    ///
    /// - Parameter new: files that came instead; one that another folder gets of them is not this folder's to lose.
    private mutating func remove(orphansOf files: [String], but new: [String] = []) {
        if files.isEmpty { return }
        let named = Set(
            (registry.tables.values.map { $0 } + registry.forms.values).filter { !$0.deleted }
                .flatMap { $0.files.map { ExactText($0) } }
        ).union(new.map { ExactText($0) }).union(copied)
        for file in files where !named.contains(ExactText(file)) { remove(file) }
    }

    // MARK: Tables and forms

    private mutating func bringTable(_ name: String, _ verb: PatchCommand.Verb) {
        let data = content.description?.data(named: name)
        let old = registry.tables[name]
        let files = data?.files ?? []
        guard mayBring("table", name, isThere: isThere(old, files, verb), verb) else { return }
        for file in files { bring(file, to: file) }
        registry.tables[name] = entry(old, files, data?.record)
        remove(orphansOf: old?.files ?? [], but: files)
        if let data, let rows = data.rows {
            steps.append(content.step(loading: rows, into: name, RowRule(key: data.key, preserve: data.preserve)))
        }
    }

    private mutating func bringForm(_ name: String, _ command: PatchCommand) {
        let old = registry.forms[name]
        let files = content.description?.formFiles(of: command) ?? []
        guard mayBring("form", name, isThere: isThere(old, files, command.verb), command.verb) else { return }
        for file in files { bring(file, to: file) }
        registry.forms[name] = entry(old, files, content.description?.data(named: name)?.formData)
        remove(orphansOf: old?.files ?? [], but: files)
    }

    /// A table that the folder does not have is no error: afterwards it is gone.
    private mutating func deleteTable(_ name: String) {
        guard let old = registry.tables[name], !old.deleted else { return }
        registry.tables[name]?.deleted = true
        registry.tables[name]?.files = []
        remove(orphansOf: old.files)
    }

    private func entry(_ old: DataRegistry.Entry?, _ files: [String], _ record: JSONValue?) -> DataRegistry.Entry {
        var entry = old ?? DataRegistry.Entry()
        entry.files = files.filter { routing.takes(ExactText($0), in: folder) }
        if let record { entry.record = record }
        entry.deleted = false
        return entry
    }

    private mutating func mayBring(_ what: String, _ name: String, isThere: Bool, _ verb: PatchCommand.Verb) -> Bool {
        let wayOut =
            "; switch the patch \(content.patch.name) off, exclude \(folder.name), or ask the vendor for installorreplace"
        switch verb {
        case .installdata, .installform:
            guard isThere else { return true }
            faults.append(
                Fault(
                    folder: folder.name, .exists,
                    "cannot install \(what) \(name) of \(content.patch.path)/\(PatchCommand.fileName): \(folder.name) "
                        + "has it already, says its \(DataRegistry.fileName)\(wayOut)"))
            return false
        case .replacedata, .replaceform:
            if isThere { return true }
            faults.append(
                Fault(
                    folder: folder.name, .missing,
                    "cannot replace \(what) \(name) of \(content.patch.path)/\(PatchCommand.fileName): \(folder.name) "
                        + "does not have it: its \(DataRegistry.fileName) does not know it, and not all its files are "
                        + "there\(wayOut)"))
            return false
        default: return true
        }
    }

    /// Whether the folder has a table or form: says its registry, or, where that does not know it, all its files are there
    /// to be replaced.
    private func isThere(_ old: DataRegistry.Entry?, _ files: [String], _ verb: PatchCommand.Verb) -> Bool {
        if let old { return !old.deleted }
        guard verb == .replacedata || verb == .replaceform else { return false }
        let own = files.map { ExactText($0) }.filter { routing.takes($0, in: folder) }
        return !own.isEmpty && present.isSuperset(of: own)
    }

    /// Also where nothing changes: the step then counts as equal.
    private mutating func addRegistry(_ facts: FolderFacts) {
        let isAsBefore = registry == facts.registry
        if isAsBefore, facts.registryText == nil { return }
        let text = isAsBefore ? facts.registryText ?? "" : registry.text
        steps.append(
            PlannedStep(
                kind: .registry, path: DataRegistry.fileName, patch: content.patch.name, source: "",
                size: UInt64(text.utf8.count), registry: RegistryChange(text: text, was: facts.registrySHA256)))
    }
}
