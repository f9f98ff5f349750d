import PatchJSON
import PatchModel

/// What brings folders from an older update's content to that of a newer one: what was added and changed stays in the
/// archive, what is gone is deleted, and what every folder has already is left out.
struct UpdateDifference {
    /// What the newer one's patches delete, by patch; sorted, relative to a folder.
    private(set) var deletions: [String: [String]] = [:]
    /// In the newer one's content, by patch: paths relative to the patch's that need not be packed.
    private(set) var unchanged: [String: Set<ExactText>] = [:]
    /// For the vendor: what only he can say.
    private(set) var notes: [String] = []

    private let old: CheckedUpdate
    private let new: CheckedUpdate

    /// - Parameter isTree: whether both are plain trees: every folder that takes the newer one has the older one then.
    init(from old: CheckedUpdate, to new: CheckedUpdate, isTree: Bool) {
        self.old = old
        self.new = new
        let coming = new.manifest.patches.map { Content(of: $0, in: new) }
        for before in old.manifest.patches {
            guard let patch = counterpart(of: before) else {
                notes.append(
                    "what the patch \(before.name) brought stays: no patch is called so, and none alone aims at the same folders"
                )
                continue
            }
            let content = Content(of: before, in: old)
            compareTables(of: before, with: patch)
            // What another patch brings must not be taken away behind it.
            let gone = content.files.keys.filter { path in !coming.contains { $0.brings(path) } }
            if !gone.isEmpty { deletions[patch.name, default: []] += gone.map(\.description) }
            if let now = coming.first(where: { $0.patch == patch.name }), isTree || everyFolderHas(before, patch) {
                unchanged[patch.name] = content.paths(equalIn: now)
            }
        }
        deletions = deletions.mapValues { Set($0).sorted() }
    }

    /// The patch of the same name; without one, the only one that aims at the same folders.
    private func counterpart(of before: Patch) -> Patch? {
        if let same = new.manifest.patches.first(where: { $0.name == before.name }) { return same }
        let alike = new.manifest.patches.filter { $0.type == before.type && $0.target == before.target }
        return alike.count == 1 ? alike.first : nil
    }

    /// Whether no folder takes the newer patch without having the older one's content.
    private func everyFolderHas(_ before: Patch, _ patch: Patch) -> Bool {
        old.manifest.version <= new.manifest.dependency && before.mandatory && patch.type == before.type
            && patch.target == before.target
    }

    /// A table or form that is gone stays in the registry unless the vendor says otherwise.
    private mutating func compareTables(of before: Patch, with patch: Patch) {
        func names(_ update: CheckedUpdate, _ patch: Patch) -> Set<String> {
            let commands = update.descriptions.first { $0.patch == patch.name }?.commands ?? []
            return Set(
                commands.compactMap { command in
                    switch command.verb {
                    case .filecopy, .filecopyto, .fileupload, .filedelete: nil
                    default: command.arguments.first
                    }
                })
        }
        for name in names(old, before).subtracting(names(new, patch)).sorted() {
            notes.append(
                "the table or form \(name) of \(before.name) stays in the folders' registries; \"deletedata\" in "
                    + "\(patch.path)/\(PatchCommand.fileName) removes a table")
        }
    }

    /// A manifest with what is gone added to what its patches delete already.
    ///
    /// - Throws: an error of ``StrictJSON`` for what is no JSON.
    func added(to manifest: [UInt8]) throws -> [UInt8] {
        guard !deletions.isEmpty, case .object(var members) = try StrictJSON.parse(manifest, maximumDepth: 32) else {
            return manifest
        }
        for index in members.indices where members[index].name == "patches" {
            guard case .array(let patches) = members[index].value else { continue }
            members[index].value = .array(patches.map(added))
        }
        return JSONValue.object(members).serialized
    }

    private func added(to patch: JSONValue) -> JSONValue {
        guard case .object(var members) = patch,
            case .string(let name)? = members.first(where: { $0.name == "name" })?.value, let gone = deletions[name]
        else { return patch }
        var all: [JSONValue] = []
        if case .array(let own)? = members.first(where: { $0.name == "delete" })?.value { all = own }
        all += gone.map(JSONValue.string).filter { !all.contains($0) }
        members.removeAll { $0.name == "delete" }
        members.append(.init("delete", .array(all)))
        return .object(members)
    }
}

/// What a patch brings to folders.
private struct Content {
    let patch: String
    /// By place in the folder.
    private(set) var files: [ExactText: ContentEntry] = [:]
    /// Also those that only files imply.
    private var directories: Set<ExactText> = []
    /// Of a patch without commands, by path relative to the patch's: what is copied.
    private var copied: [ExactText: ContentEntry] = [:]

    init(of patch: Patch, in update: CheckedUpdate) {
        self.patch = patch.name
        let top = ExactText(patch.path)
        var own: [ExactText: ContentEntry] = [:]
        for entry in update.entries {
            if let path = ExactText(entry.path).relative(to: top) { own[path] = entry }
        }
        let description = update.descriptions.first { $0.patch == patch.name }
        if let commands = description?.commands {
            for command in commands {
                let (source, target) = (command.arguments[0], command.arguments.last ?? "")
                switch command.verb {
                case .filecopy, .filecopyto: files[ExactText(target)] = own[ExactText(source)]
                case .installdata, .replacedata, .installorreplacedata:
                    for file in description?.data(named: source)?.files ?? [] {
                        files[ExactText(file)] = own[ExactText(file)]
                    }
                case .installform, .replaceform, .installorreplaceform:
                    for file in description?.formFiles(of: command) ?? [] {
                        files[ExactText(file)] = own[ExactText(file)]
                    }
                case .fileupload, .filedelete, .deletedata: break
                }
            }
        } else {
            copied = own.filter { !Patch.isOwn($0.key) && !Patch.scriptDirectories.contains($0.key) }
            files = copied.filter { $0.value.kind == .file }
            directories = Set(copied.keys).subtracting(files.keys)
        }
        directories.formUnion(files.keys.flatMap(\.parents))
    }

    /// Whether it brings a file or directory to a place, or a file to one above.
    func brings(_ place: ExactText) -> Bool {
        files[place] != nil || directories.contains(place) || place.parents.contains { files[$0] != nil }
    }

    /// What another content has alike, directories that are empty without it too.
    func paths(equalIn other: Content) -> Set<ExactText> {
        func isEqual(_ path: ExactText, _ entry: ContentEntry) -> Bool {
            guard let own = copied[path] else { return false }
            return own.kind == entry.kind && own.mode == entry.mode && own.sha256 == entry.sha256
        }
        let differing = other.copied.filter { !isEqual($0.key, $0.value) }
        let needed = Set(differing.keys.flatMap(\.parents))
        return Set(other.copied.keys).subtracting(differing.keys).subtracting(needed)
    }
}
