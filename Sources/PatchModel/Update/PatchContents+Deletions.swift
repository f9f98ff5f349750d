/// What a patch takes away has to be another thing than what it brings.
extension PatchContents {
    /// Refuses to delete what the patch brings, a directory above it, or something below a file that it brings.
    ///
    /// - Parameters:
    ///   - description: What its `jobs.json` and `datafiles.json` say; nil where it has neither.
    ///   - place: The list's position in the manifest.
    func checkDeletions(
        of patch: Patch, _ description: PatchDescription?, at place: JSONPath
    ) throws(Refusal) {
        guard let deletions = patch.delete, !deletions.isEmpty else { return }
        let (files, directories) = brought(description)
        for (index, text) in deletions.enumerated() {
            let path = ExactText(text)
            let what =
                files.contains(path)
                ? path : directories.contains(path) ? path : path.parents.first(where: files.contains)
            guard let what else { continue }
            throw Refusal(
                .manifestInvalid, at: place.index(index).description,
                "deletes \"\(path)\", and the same patch brings \"\(what)\"")
        }
    }

    /// The places, relative to the folder, of the files that the patch brings, and of the directories that it makes.
    private func brought(_ description: PatchDescription?) -> (files: Set<ExactText>, directories: Set<ExactText>) {
        guard let commands = description?.commands else {
            let own = paths.filter { !Patch.isOwn($0) }
            let special = Set(Patch.scriptDirectories)
            return (
                Set(own.filter { kind(of: $0) == .file }),
                Set(own.filter { kind(of: $0) == .directory && !special.contains($0) })
            )
        }
        let files = Set(
            commands.flatMap { command -> [String] in
                switch command.verb {
                case .filecopy, .filecopyto: command.targets
                case .installdata, .replacedata, .installorreplacedata:
                    command.arguments.first.flatMap { description?.data(named: $0)?.files } ?? []
                case .installform, .replaceform, .installorreplaceform: description?.formFiles(of: command) ?? []
                case .fileupload, .filedelete, .deletedata: []
                }
            }.map { ExactText($0) })
        return (files, Set(files.flatMap(\.parents)))
    }
}
