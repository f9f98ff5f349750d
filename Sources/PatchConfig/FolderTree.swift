import PatchModel

/// Checks that an endpoint's folders are one tree, and lets them inherit.
struct FolderTree {
    private let drafts: [FolderDraft]
    private let byName: [String: FolderDraft]
    private let problems: Problems

    init(_ drafts: [FolderDraft], problems: Problems) {
        self.drafts = drafts
        self.problems = problems
        byName = Dictionary(drafts.map { ($0.name.value, $0) }) { first, _ in first }
    }

    /// Reports everything that prevents the folders from being one tree of separate directories. `isWhole` is false
    /// when a folder could not be read: a missing folder may then be that one.
    func check(endpoint: SourceLocation, isWhole: Bool) {
        checkNames()
        checkParents(isWhole: isWhole)
        let cycles = checkCycles()
        checkRoots(endpoint: endpoint, isWhole: isWhole && !cycles)
        checkRoles()
        checkPaths()
    }

    /// The folders with `version`, `modules` and `owner` from the folder, else its reference folder, else the endpoint.
    func folders(version: Version?, modules: [String], owner: String?) -> [Folder] {
        drafts.map { draft in
            let line = [draft] + ancestors(of: draft)
            return Folder(
                name: draft.name.value, parent: draft.parent?.value,
                role: draft.role?.value ?? (draft.hasParent ? .standard : .supervisor),
                version: line.lazy.compactMap(\.version).first ?? version,
                modules: line.lazy.compactMap(\.modules).first ?? modules,
                path: draft.path.value,
                owner: line.lazy.compactMap(\.owner).first?.value ?? owner,
                database: draft.database?.value, credentials: draft.credentials?.value,
                rehearseCredentials: draft.rehearseCredentials?.value, active: draft.active)
        }
    }

    private func ancestors(of draft: FolderDraft) -> [FolderDraft] {
        var found: [FolderDraft] = []
        var seen: Set<String> = [draft.name.value]
        var current = draft
        while let parent = current.parent.flatMap({ byName[$0.value] }), seen.insert(parent.name.value).inserted {
            found.append(parent)
            current = parent
        }
        return found
    }

    private func checkNames() {
        var seen: [String: FolderDraft] = [:]
        for draft in drafts {
            let key = draft.name.value.lowercased()
            if let first = seen[key] {
                problems.report(
                    at: draft.name.place,
                    "folder \"\(draft.name.value)\" has the name of \"\(first.name.value)\" in line "
                        + "\(first.name.place.line); names are unique regardless of case")
            } else {
                seen[key] = draft
            }
        }
    }

    private func checkParents(isWhole: Bool) {
        guard isWhole else { return }
        for draft in drafts {
            guard let parent = draft.parent, byName[parent.value] == nil else { continue }
            problems.report(
                at: parent.place,
                "folder \"\(draft.name.value)\" has the parent \"\(parent.value)\", which is no folder of this endpoint"
                    + Suggestion.hint(for: parent.value, in: drafts.map(\.name.value)))
        }
    }

    /// One report a cycle, at its first folder in the file.
    private func checkCycles() -> Bool {
        var reported: Set<String> = []
        for draft in drafts where !reported.contains(draft.name.value) {
            let line = [draft] + ancestors(of: draft)
            // Only a folder that is its own ancestor is in the cycle; others merely lead to it.
            guard let parent = line.last?.parent, parent.value == draft.name.value else { continue }
            reported.formUnion(line.map(\.name.value))
            let names = line.map(\.name.value) + [draft.name.value]
            problems.report(
                at: draft.parent?.place ?? draft.place,
                "the reference folders form a cycle: \(names.joined(separator: " -> ")); one of them has to be the root, "
                    + "without \"parent\"")
        }
        return !reported.isEmpty
    }

    private func checkRoots(endpoint: SourceLocation, isWhole: Bool) {
        let roots = drafts.filter { !$0.hasParent }
        if roots.isEmpty, isWhole {
            problems.report(at: endpoint, "no folder is the root; exactly one has no \"parent\"")
        }
        guard let root = roots.first else { return }
        for other in roots.dropFirst() {
            problems.report(
                at: other.place,
                "folder \"\(other.name.value)\" is a second root beside \"\(root.name.value)\" in line "
                    + "\(root.place.line); give it a \"parent\", or an endpoint of its own")
        }
    }

    private func checkRoles() {
        for draft in drafts {
            guard let role = draft.role, (role.value == .supervisor) == draft.hasParent else { continue }
            problems.report(
                at: role.place,
                draft.hasParent
                    ? "folder \"\(draft.name.value)\" has a parent, only the root is the supervisor; "
                        + "it is standard, test or specific"
                    : "folder \"\(draft.name.value)\" is the root, and the root is the supervisor, "
                        + "not \(role.value.rawValue)")
        }
    }

    private func checkPaths() {
        // Sorted by components, a directory is followed by everything inside it.
        let sorted = drafts.enumerated().sorted { left, right in
            let (first, second) = (
                left.element.path.value.split(separator: "/"), right.element.path.value.split(separator: "/")
            )
            return first == second ? left.offset < right.offset : first.lexicographicallyPrecedes(second)
        }.map(\.element)
        var outer: FolderDraft?
        for draft in sorted {
            guard let around = outer else {
                outer = draft
                continue
            }
            let isSame = draft.path.value == around.path.value
            guard isSame || CleanPath.isBelow(draft.path.value, around.path.value) else {
                outer = draft
                continue
            }
            // Equal names were already reported.
            if isSame, draft.name.value.lowercased() == around.name.value.lowercased() { continue }
            problems.report(
                at: draft.path.place,
                "folder \"\(draft.name.value)\" at \(draft.path.value) is "
                    + (isSame ? "the same directory as" : "inside")
                    + " folder \"\(around.name.value)\" in line \(around.path.place.line); folders lie side by side")
        }
    }
}
