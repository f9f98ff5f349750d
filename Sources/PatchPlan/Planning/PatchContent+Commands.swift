import PatchModel

extension PatchContent {
    /// Whether the patch's effect depends on what a folder has (``FolderFacts``).
    func needsFacts(of folder: Folder) -> Bool {
        needsRegistry || !specific.isEmpty || !migrations.isEmpty && folder.database != nil
    }

    /// Whether it depends on the folder's tables and forms.
    var needsRegistry: Bool {
        description?.commands?.contains { command in
            switch command.verb {
            case .filecopy, .filecopyto, .fileupload, .filedelete: false
            case .installdata, .replacedata, .installorreplacedata, .deletedata, .installform, .replaceform,
                .installorreplaceform:
                true
            }
        } ?? false
    }

    /// The files of tables and forms that it replaces: a folder that was there before patchd may have them although its
    /// registry does not know.
    var replacedFiles: [ExactText] {
        guard let description, let commands = description.commands else { return [] }
        return commands.flatMap { command -> [String] in
            switch command.verb {
            case .replacedata: command.arguments.first.flatMap { description.data(named: $0)?.files } ?? []
            case .replaceform: description.formFiles(of: command)
            default: []
            }
        }.map { ExactText($0) }
    }

    /// The steps that bring one of the patch's files to a place, the directories above it first.
    func steps(bringing source: String, to path: String) -> [PlannedStep] {
        guard let entry = entries[ExactText(source)] else { return [] }
        let above = ExactText(path).parents.map { directory in
            PlannedStep(
                kind: .directory, path: directory.description, patch: patch.name, source: "\(patch.path)/\(directory)",
                mode: entries[directory]?.mode)
        }
        let step = step(for: entry, at: path)
        return step.kind == .handler ? [step] : above + [step]
    }

    /// The step that puts a file where the patch's scripts find it.
    func step(uploading source: String) -> PlannedStep? {
        entries[ExactText(source)].map { entry in
            PlannedStep(
                kind: .upload, path: source, patch: patch.name, source: entry.path, size: entry.size, mode: entry.mode,
                sha256: entry.sha256)
        }
    }

    /// The places of the files that it brings, or that it hands over, where a folder gets all of them.
    var places: [ExactText] {
        guard let description, let commands = description.commands else {
            return (files + handed).map { ExactText($0.path) }
        }
        return commands.flatMap { command -> [String] in
            switch command.verb {
            case .filecopy, .filecopyto: return command.arguments.suffix(1)
            case .installdata, .replacedata, .installorreplacedata:
                return command.arguments.first.flatMap { description.data(named: $0)?.files } ?? []
            case .installform, .replaceform, .installorreplaceform: return description.formFiles(of: command)
            case .fileupload, .filedelete, .deletedata: return []
            }
        }.map { ExactText($0) }
    }

    /// The step that loads a CSV file of the patch into a table.
    func step(loading source: String, into table: String, _ rule: RowRule) -> PlannedStep {
        let entry = entries[ExactText(source)]
        return PlannedStep(
            kind: .rows, path: table, patch: patch.name, source: "\(patch.path)/\(source)", size: entry?.size ?? 0,
            sha256: entry?.sha256 ?? "", rows: rule)
    }
}
