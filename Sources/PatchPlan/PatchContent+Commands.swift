import PatchModel

extension PatchContent {
    /// Whether what it does depends on what a folder has (``FolderFacts``): on its tables and forms.
    var needsFacts: Bool {
        description?.commands?.contains { command in
            switch command.verb {
            case .filecopy, .filecopyto, .fileupload, .filedelete: false
            case .installdata, .replacedata, .installorreplacedata, .deletedata, .installform, .replaceform,
                .installorreplaceform:
                true
            }
        } ?? false
    }

    /// The steps that bring one of the patch's files to a place, the directories above it first.
    func steps(bringing source: String, to path: String) -> [PlannedStep] {
        guard let entry = entries[ExactText(source)] else { return [] }
        let above = ExactText(path).parents.map { directory in
            PlannedStep(
                kind: .directory, path: directory.description, patch: patch.name, source: "\(patch.path)/\(directory)",
                mode: entries[directory]?.mode)
        }
        return above + [step(for: entry, at: path)]
    }

    /// The step that loads a CSV file of the patch into a table.
    func step(loading source: String, into table: String, _ rule: RowRule) -> PlannedStep {
        let entry = entries[ExactText(source)]
        return PlannedStep(
            kind: .rows, path: table, patch: patch.name, source: "\(patch.path)/\(source)", size: entry?.size ?? 0,
            sha256: entry?.sha256 ?? "", rows: rule)
    }
}
