extension CheckedUpdate {
    /// Holds an archive's contents against its manifest (contract §4).
    ///
    /// - Parameters:
    ///   - manifest: As read from the archive.
    ///   - entries: Everything in the archive that is not ignored, with clean and unique names, in any order.
    ///   - manifestFile: The manifest's name at the archive's root.
    ///   - limit: The most bytes of a `jobs.json` or `datafiles.json`.
    ///   - content: Gives the bytes of an entry; asked for `jobs.json` and `datafiles.json` at the top of a patch only.
    /// - Throws: ``Refusal`` for the first defect: `contentUndeclared`, `contentMissing`, `entryName` (reserved names),
    ///   `manifestInvalid` (scripts above the update's version, bad JSON), `limitExceeded`, or what `content` throws. Names
    ///   that are equal but for case or Unicode form, and other names than scripts' in `upgrades/`, are findings.
    public init(
        checking manifest: Manifest, entries: [ContentEntry], manifestFile: String = "update.json",
        limit: Int = Limits().manifest, content: (String) throws(Refusal) -> [UInt8]
    ) throws(Refusal) {
        let tree = ContentTree(entries)
        var findings: [Finding] = []
        try tree.refuseUndeclared(manifest, manifestFile: manifestFile)
        for patch in manifest.patches {
            let contents = try PatchContents(patch, in: tree)
            findings += try contents.checkScripts(upTo: manifest.version)
            try contents.checkDescriptions(limit: limit, content: content)
        }
        findings += tree.collisions()
        self.init(manifest: manifest, entries: tree.entries, findings: findings)
    }
}

/// An archive's entries by name, with the directories that are there only because something lies in them.
struct ContentTree {
    /// Sorted by path.
    let entries: [ContentEntry]
    /// Every path, sorted.
    let paths: [ExactText]
    private var kinds: [ExactText: ContentEntry.Kind] = [:]
    private var sizes: [ExactText: UInt64] = [:]

    init(_ entries: [ContentEntry]) {
        self.entries = entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        for entry in self.entries {
            let path = ExactText(entry.path)
            kinds[path] = entry.kind
            sizes[path] = entry.size
            for parent in path.parents where kinds[parent] == nil { kinds[parent] = .directory }
        }
        paths = kinds.keys.sorted()
    }

    /// What a path is; nil where there is nothing.
    func kind(of path: ExactText) -> ContentEntry.Kind? { kinds[path] }

    /// A file's bytes.
    func size(of path: ExactText) -> UInt64 { sizes[path] ?? 0 }

    /// Everything below a directory, sorted. Paths with one beginning are neighbours, so that no patch costs the whole tree.
    func paths(below directory: ExactText) -> ArraySlice<ExactText> {
        let first = ExactText("\(directory)/")
        var (low, high) = (paths.startIndex, paths.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if paths[middle] < first { low = middle + 1 } else { high = middle }
        }
        return paths[low...].prefix { $0.isBelow(directory) }
    }

    /// Refuses what is neither below a patch's path, nor above one, nor one of the files that may accompany an update.
    func refuseUndeclared(_ manifest: Manifest, manifestFile: String) throws(Refusal) {
        let patches = Set(manifest.patches.map { ExactText($0.path) })
        let above = Set(patches.flatMap(\.parents))
        for entry in entries {
            let path = ExactText(entry.path)
            if patches.contains(path) || path.parents.contains(where: patches.contains) { continue }
            if entry.kind == .directory, above.contains(path) { continue }
            if Self.mayAccompany(path, entry.kind, manifestFile: ExactText(manifestFile)) { continue }
            throw Refusal(
                .contentUndeclared, at: entry.path,
                "lies below no patch's path (\(manifest.patches.prefix(5).map(\.path).joined(separator: ", ")))")
        }
    }

    private static func mayAccompany(_ path: ExactText, _ kind: ContentEntry.Kind, manifestFile: ExactText) -> Bool {
        let docs = ExactText("docs")
        if path.isBelow(docs) || path == docs && kind == .directory { return true }
        guard kind == .file, path.components.count == 1 else { return false }
        return path == manifestFile
            || ["README", "CHANGES", "LICENSE"].contains { path.bytes.starts(with: $0.utf8) }
    }

    /// Names that are the same on a system that ignores case or Unicode form.
    func collisions() -> [Finding] {
        var first: [String: ExactText] = [:]
        var findings: [Finding] = []
        for path in paths {
            // Upper case first, so that ß meets SS; the dictionary itself takes canonically equivalent texts as one.
            let key = path.description.uppercased().lowercased()
            if let other = first[key] {
                findings.append(
                    .warning(
                        "nameCollision", at: path.description,
                        "differs from \"\(other)\" only in case or Unicode form; some systems cannot hold both"))
            } else {
                first[key] = path
            }
        }
        return findings
    }
}

/// What lies in one patch's path.
struct PatchContents {
    private let root: ExactText
    private let tree: ContentTree
    /// Relative to the patch's path, sorted.
    private let paths: [ExactText]

    init(_ patch: Patch, in tree: ContentTree) throws(Refusal) {
        let root = ExactText(patch.path)
        guard let kind = tree.kind(of: root) else {
            throw Refusal(.contentMissing, at: patch.path, "the path of patch \"\(patch.name)\" is not in the archive")
        }
        guard kind == .directory else {
            throw Refusal(
                .contentMissing, at: patch.path, "the path of patch \"\(patch.name)\" is a file, not a directory")
        }
        self.root = root
        self.tree = tree
        paths = tree.paths(below: root).compactMap { $0.relative(to: root) }
        for path in paths {
            if let problem = EntryName.reservedProblem(inFolder: path.description) {
                throw Refusal(.entryName, at: place(of: path), problem)
            }
        }
    }

    private func kind(of relative: ExactText) -> ContentEntry.Kind? { tree.kind(of: ExactText(place(of: relative))) }

    private func place(of relative: ExactText) -> String { "\(root)/\(relative)" }

    /// Refuses scripts above the update's version; warns of what is no script.
    func checkScripts(upTo version: Version) throws(Refusal) -> [Finding] {
        var findings: [Finding] = []
        for directory in ["upgrades", "downgrades"] {
            for path in paths {
                guard let name = path.relative(to: ExactText(directory)), name.components.count == 1 else { continue }
                guard kind(of: path) == .file, let script = ScriptName(name.description) else {
                    findings.append(
                        .warning(
                            "scriptIgnored", at: place(of: path),
                            "is no script named by its version (8.0.2.sh, 8.0.2~a_remark.sql) and is ignored"))
                    continue
                }
                guard script.version <= version else {
                    throw Refusal(
                        .manifestInvalid, at: place(of: path),
                        "the script is for version \(script.version), above the update's \(version)")
                }
            }
        }
        return findings
    }

    /// Reads `jobs.json` and `datafiles.json` and looks for the files they name.
    func checkDescriptions(limit: Int, content: (String) throws(Refusal) -> [UInt8]) throws(Refusal) {
        if let (place, bytes) = try description(PatchData.fileName, limit: limit, content: content) {
            for data in try PatchData.list(strictJSON: bytes, file: place) {
                if let rows = data.rows { try require(rows, namedBy: place) }
                for pattern in data.files { try requireMatch(of: pattern, namedBy: place) }
            }
        }
        if let (place, bytes) = try description(PatchCommand.fileName, limit: limit, content: content) {
            for command in try PatchCommand.list(strictJSON: bytes, file: place) {
                for path in command.content { try require(path, namedBy: place) }
            }
        }
    }

    /// One of the two files, with its place; nil where the patch has none.
    private func description(
        _ name: String, limit: Int, content: (String) throws(Refusal) -> [UInt8]
    ) throws(Refusal) -> (place: String, bytes: [UInt8])? {
        let path = ExactText(name)
        guard kind(of: path) == .file else { return nil }
        guard tree.size(of: ExactText(place(of: path))) <= UInt64(limit) else {
            throw Refusal(.limitExceeded, at: place(of: path), "has more than \(limit) bytes")
        }
        return (place(of: path), try content(place(of: path)))
    }

    private func require(_ path: String, namedBy place: String) throws(Refusal) {
        switch kind(of: ExactText(path)) {
        case .file: return
        case .directory:
            throw Refusal(.contentMissing, at: place, "names \"\(path)\", which is a directory, not a file")
        case nil: throw Refusal(.contentMissing, at: place, "names \"\(path)\", which is not in \(root)")
        }
    }

    private func requireMatch(of pattern: String, namedBy place: String) throws(Refusal) {
        // A file may be called like a pattern.
        if kind(of: ExactText(pattern)) == .file { return }
        let glob = Glob(pattern)
        guard glob.isPattern else { return try require(pattern, namedBy: place) }
        guard paths.contains(where: { kind(of: $0) == .file && glob.matches($0.description) }) else {
            throw Refusal(.contentMissing, at: place, "names \"\(pattern)\", which matches no file in \(root)")
        }
    }
}
