import PatchJSON
import PatchModel

/// What an update takes away: the files that an older one brings and a newer one lacks.
struct Deletions {
    /// By the newer update's patch; sorted, relative to a folder.
    let paths: [String: [String]]

    /// Compares the patches of one name with each other; where the older update has none of a name, its only patch.
    init(from old: CheckedUpdate, to new: CheckedUpdate) {
        var found: [String: [String]] = [:]
        for patch in new.manifest.patches {
            let only = old.manifest.patches.count == 1 ? old.manifest.patches.first : nil
            guard let before = old.manifest.patches.first(where: { $0.name == patch.name }) ?? only else { continue }
            let kept = Self.content(of: patch, in: new)
            let gone = Self.content(of: before, in: old).subtracting(kept)
            if !gone.isEmpty { found[patch.name] = gone.map(\.description).sorted() }
        }
        paths = found
    }

    /// The files that are copied; scripts and descriptions are not.
    private static func content(of patch: Patch, in update: CheckedUpdate) -> Set<ExactText> {
        let top = ExactText(patch.path)
        let special = ["upgrades", "downgrades", "migrations"].map(ExactText.init)
        let descriptions = Set(["jobs.json", "datafiles.json"].map(ExactText.init))
        return Set(
            update.entries.filter { $0.kind == .file }.compactMap { ExactText($0.path).relative(to: top) }.filter {
                path in
                !descriptions.contains(path) && !special.contains { path.isBelow($0) }
            })
    }

    /// A manifest with these added to what its patches delete already.
    ///
    /// - Throws: an error of ``StrictJSON`` for what is no JSON.
    func added(to manifest: [UInt8]) throws -> [UInt8] {
        guard case .object(var members) = try StrictJSON.parse(manifest, maximumDepth: 32) else { return manifest }
        for index in members.indices where members[index].name == "patches" {
            guard case .array(let patches) = members[index].value else { continue }
            members[index].value = .array(patches.map(added))
        }
        return JSONValue.object(members).serialized
    }

    private func added(to patch: JSONValue) -> JSONValue {
        guard case .object(var members) = patch,
            case .string(let name)? = members.first(where: { $0.name == "name" })?.value, let gone = paths[name]
        else { return patch }
        var all: [JSONValue] = []
        if case .array(let own)? = members.first(where: { $0.name == "delete" })?.value { all = own }
        all += gone.map(JSONValue.string).filter { !all.contains($0) }
        members.removeAll { $0.name == "delete" }
        members.append(.init("delete", .array(all)))
        return .object(members)
    }
}
