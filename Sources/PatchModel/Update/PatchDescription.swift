/// What a patch's `jobs.json` and `datafiles.json` say, as read by the check of the archive: no later code opens a
/// vendor's file.
public struct PatchDescription: Hashable, Codable, Sendable {
    /// The patch's name.
    public var patch: String
    /// Of `jobs.json`, in order; nil where the patch has none, and then all its files are copied.
    public var commands: [PatchCommand]?
    /// Of `datafiles.json`, with patterns replaced by the files that they match.
    public var data: [PatchData]

    /// Memberwise.
    public init(patch: String, commands: [PatchCommand]? = nil, data: [PatchData] = []) {
        self.patch = patch
        self.commands = commands
        self.data = data
    }

    /// The table or form of that name; nil where `datafiles.json` says nothing of it.
    public func data(named name: String) -> PatchData? { data.first { $0.name == name } }

    /// The files of the form that a command brings: the command's file, else what the form's record names as `file`,
    /// else all files of the name.
    public func formFiles(of command: PatchCommand) -> [String] {
        if let file = command.arguments.dropFirst().first { return [file] }
        guard let name = command.arguments.first, let own = data(named: name) else { return [] }
        return own.formFile.map { [$0] } ?? own.files
    }
}
