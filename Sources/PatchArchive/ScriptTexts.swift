import PatchModel

/// Looks through the scripts of an archive while their data streams by. What is wrong with one refuses no archive: the
/// vendor learns of it from `lint`, an admin from the preflight of the folders that would run it.
struct ScriptTexts {
    private let directories: [ExactText]
    private var current: (path: ExactText, check: ScriptTextCheck)?
    private(set) var findings: [Finding] = []

    init(_ manifest: Manifest) {
        directories = manifest.patches.flatMap { patch in
            ["upgrades", "downgrades"].map { ExactText("\(patch.path)/\($0)") }
        }
    }

    /// Begins a file; nil for one that is not kept.
    mutating func begin(_ path: ExactText?) {
        guard let path, let name = directories.lazy.compactMap({ path.relative(to: $0) }).first,
            let script = ScriptName(name.description)
        else { return }
        current = (path, ScriptTextCheck(script.kind))
    }

    mutating func take(_ block: UnsafeRawBufferPointer) { current?.check.take(block) }

    mutating func end() {
        defer { current = nil }
        guard let (path, check) = current, let problem = check.problem else { return }
        findings.append(
            Finding(level: .error, code: "scriptSyntax", place: path.description, message: problem))
    }
}
