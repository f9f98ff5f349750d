extension CheckedUpdate {
    /// Compares an archive's contents with its manifest (contract §4).
    ///
    /// - Parameters:
    ///   - manifest: As read from the archive.
    ///   - entries: Everything in the archive that is not ignored, with clean and unique names, in any order.
    ///   - manifestFile: The manifest's name at the archive's root.
    ///   - limit: The most bytes of a `jobs.json` or `datafiles.json`.
    ///   - content: Gives the bytes of an entry; asked for `jobs.json` and `datafiles.json` at the top of a patch only.
    /// - Throws: ``Refusal`` for the first defect: `contentUndeclared`, `contentMissing`, `entryName` (reserved names),
    ///   `manifestInvalid` (scripts above the update's version, migrations without a number, bad JSON), `limitExceeded`, or
    ///   what `content` throws. Names that are equal but for case or Unicode form, other names than scripts' in `upgrades/`,
    ///   and scripts without a way back are findings.
    public init(
        checking manifest: Manifest, entries: [ContentEntry], manifestFile: String = "update.json",
        limit: Int = Limits().manifest, content: (String) throws(Refusal) -> [UInt8]
    ) throws(Refusal) {
        let tree = ContentTree(entries)
        var findings: [Finding] = []
        var descriptions: [PatchDescription] = []
        var migrations: [String: [MigrationName: String]] = [:]
        try tree.refuseUndeclared(manifest, manifestFile: manifestFile)
        for (index, patch) in manifest.patches.enumerated() {
            let contents = try PatchContents(patch, in: tree)
            findings += try contents.checkScripts(upTo: manifest.version)
            findings += contents.missingDowngrades(above: manifest.dependency)
            findings += try contents.checkMigrations(of: patch, &migrations)
            if let description = try contents.description(of: patch, limit: limit, content: content) {
                descriptions.append(description)
            }
            let own = JSONPath(file: manifestFile).key("patches").index(index)
            try contents.checkDeletions(of: patch, descriptions.last { $0.patch == patch.name }, at: own.key("delete"))
        }
        findings += tree.collisions()
        self.init(manifest: manifest, entries: tree.entries, descriptions: descriptions, findings: findings)
    }
}

/// An archive's entries by name, with the directories that exist only because they contain something.
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

    /// The kind of a path; nil where there is nothing.
    func kind(of path: ExactText) -> ContentEntry.Kind? { kinds[path] }

    /// A file's bytes.
    func size(of path: ExactText) -> UInt64 { sizes[path] ?? 0 }

    /// Everything below a directory, sorted. Paths with the same beginning are neighbours, so that no patch costs the
    /// whole tree.
    func paths(below directory: ExactText) -> ArraySlice<ExactText> {
        let first = ExactText("\(directory)/")
        var (low, high) = (paths.startIndex, paths.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if paths[middle] < first { low = middle + 1 } else { high = middle }
        }
        return paths[low...].prefix { $0.isBelow(directory) }
    }

    /// Refuses entries that are neither below a patch's path, nor above one, nor files that may accompany an update.
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

    /// Names that are equal on a system that ignores case or Unicode form.
    func collisions() -> [Finding] {
        var first: [String: ExactText] = [:]
        var findings: [Finding] = []
        for path in paths {
            // Upper case first, so that ß meets SS; the dictionary itself treats canonically equivalent texts as equal.
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

/// The content of one patch's path.
struct PatchContents {
    private let root: ExactText
    private let tree: ContentTree
    /// Relative to the patch's path, sorted.
    let paths: [ExactText]
    /// The files by their names without the path.
    private let filesByName: [ExactText: [ExactText]]

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
        let paths = tree.paths(below: root).compactMap { $0.relative(to: root) }
        self.paths = paths
        let files = paths.filter {
            tree.kind(of: ExactText("\(root)/\($0)")) == .file && !Patch.isOwn($0)
        }
        filesByName = Dictionary(grouping: files) { ExactText(bytes: $0.components.last ?? []) }
        for path in paths {
            if let problem = EntryName.reservedProblem(inFolder: path.description) {
                throw Refusal(.entryName, at: place(of: path), problem)
            }
        }
    }

    func kind(of relative: ExactText) -> ContentEntry.Kind? { tree.kind(of: ExactText(place(of: relative))) }

    func place(of relative: ExactText) -> String { "\(root)/\(relative)" }

    /// Reads `jobs.json` and `datafiles.json` and looks for the files they name; nil where the patch has neither.
    func description(
        of patch: Patch, limit: Int, content: (String) throws(Refusal) -> [UInt8]
    ) throws(Refusal) -> PatchDescription? {
        let data = try document(PatchData.fileName, limit: limit, content: content)
        let commands = try document(PatchCommand.fileName, limit: limit, content: content)
        if data == nil, commands == nil { return nil }
        var description = PatchDescription(patch: patch.name)
        if let (place, bytes) = data {
            for var data in try PatchData.list(strictJSON: bytes, file: place) {
                data.rows = try data.rows.map { (name) throws(Refusal) in try find(name, namedBy: place) }
                data.formFile = try data.formFile.map { (name) throws(Refusal) in try find(name, namedBy: place) }
                data.files = try files(data.files, namedBy: place)
                description.data.append(data)
            }
        }
        if let (place, bytes) = commands {
            var commands: [PatchCommand] = []
            for command in try PatchCommand.list(strictJSON: bytes, file: place) {
                try description.check(command, at: place)
                commands.append(
                    try command.naming { (name) throws(Refusal) in try find(name, namedBy: place) })
            }
            description.commands = commands
        }
        return description
    }

    /// One of the two files, with its path; nil where the patch has none.
    private func document(
        _ name: String, limit: Int, content: (String) throws(Refusal) -> [UInt8]
    ) throws(Refusal) -> (place: String, bytes: [UInt8])? {
        let path = ExactText(name)
        guard kind(of: path) == .file else { return nil }
        guard tree.size(of: ExactText(place(of: path))) <= UInt64(limit) else {
            throw Refusal(.limitExceeded, at: place(of: path), "has more than \(limit) bytes")
        }
        return (place(of: path), try content(place(of: path)))
    }

    /// The file of that path. One that is named without its path is looked up by its name, where only one in the patch has
    /// it.
    private func find(_ path: String, namedBy place: String) throws(Refusal) -> String {
        switch kind(of: ExactText(path)) {
        case .file: return path
        case .directory:
            throw Refusal(.contentMissing, at: place, "names \"\(path)\", which is a directory, not a file")
        case nil: break
        }
        let found = path.utf8.contains(UInt8(ascii: "/")) ? [] : filesByName[ExactText(path)] ?? []
        guard let only = found.first else {
            throw Refusal(.contentMissing, at: place, "names \"\(path)\", which is not in \(root)")
        }
        guard found.count == 1 else {
            let all = found.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ")
            throw Refusal(
                .contentMissing, at: place,
                "names \"\(path)\" without its path, and \(found.count) files in \(root) have that name: \(all)")
        }
        return only.description
    }

    /// The files that a list of names and patterns stands for, in its order. A pattern matches neither scripts nor the
    /// two files themselves.
    private func files(_ patterns: [String], namedBy place: String) throws(Refusal) -> [String] {
        var files: [String] = []
        var known: Set<ExactText> = []
        for pattern in patterns {
            let glob = Glob(pattern)
            // The name of a file may look like a pattern.
            if !glob.isPattern || kind(of: ExactText(pattern)) == .file {
                let file = try find(pattern, namedBy: place)
                if known.insert(ExactText(file)).inserted { files.append(file) }
                continue
            }
            let found = paths.filter {
                kind(of: $0) == .file && !Patch.isOwn($0) && glob.matches($0.description)
            }
            guard !found.isEmpty else {
                throw Refusal(.contentMissing, at: place, "names \"\(pattern)\", which matches no file in \(root)")
            }
            files += found.filter { known.insert($0).inserted }.map(\.description)
        }
        return files
    }

}

extension Patch {
    /// Where scripts lie, relative to a patch's path.
    public static let scriptDirectories = ["upgrades", "downgrades", MigrationRule.directory].map { ExactText($0) }

    /// Whether what lies at a path relative to a patch's is a script, or one of the two files that describe the others:
    /// none of them comes into a folder.
    public static func isOwn(_ path: ExactText) -> Bool {
        [PatchCommand.fileName, PatchData.fileName].contains { ExactText($0) == path }
            || scriptDirectories.contains { path.isBelow($0) }
    }
}

extension PatchDescription {
    /// Refuses a command for a table or form without an entry: a misspelt name would bring nothing.
    fileprivate func check(_ command: PatchCommand, at place: String) throws(Refusal) {
        let name = command.arguments.first ?? ""
        switch command.verb {
        case .filecopy, .filecopyto, .fileupload, .filedelete, .deletedata: return
        case .installdata, .replacedata, .installorreplacedata:
            if data(named: name) != nil { return }
        case .installform, .replaceform, .installorreplaceform:
            if !formFiles(of: command).isEmpty { return }
            if data(named: name) != nil {
                throw Refusal(
                    .manifestInvalid, at: place,
                    "\(command.verb.rawValue) \"\(name)\": neither the command nor \(PatchData.fileName) names its file"
                )
            }
        }
        let hint = Suggestion.hint(for: name, in: data.map(\.name))
        throw Refusal(
            .manifestInvalid, at: place,
            "\(command.verb.rawValue) names \"\(name)\", of which \(PatchData.fileName) says nothing\(hint)")
    }
}
