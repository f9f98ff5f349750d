/// One command of a patch's `jobs.json` (contract §4).
public struct PatchCommand: Hashable, Codable, Sendable {
    /// What it does.
    public enum Verb: String, Codable, CaseIterable, Sendable {
        case filecopy, filecopyto, fileupload, filedelete
        case installdata, replacedata, installorreplacedata, deletedata
        case installform, replaceform, installorreplaceform

        /// How many arguments it takes.
        public var argumentCount: ClosedRange<Int> {
            switch self {
            case .filecopy, .fileupload, .filedelete, .installdata, .replacedata, .installorreplacedata, .deletedata:
                1...1
            case .filecopyto: 2...2
            case .installform, .replaceform, .installorreplaceform: 1...2
            }
        }
    }

    /// What it does.
    public var verb: Verb
    /// As many as the verb takes.
    public var arguments: [String]

    /// The file's name in a patch's path.
    public static let fileName = "jobs.json"

    /// Reads a whole `jobs.json`.
    ///
    /// - Parameter file: Its path in the archive, for messages.
    /// - Throws: ``Refusal`` with the code `manifestInvalid`: no strict JSON, an unknown command, a wrong number of
    ///   arguments, a file name that is not clean. Whether the files exist is for the caller to see.
    public static func list(strictJSON bytes: [UInt8], file: String) throws(Refusal) -> [PatchCommand] {
        var commands: [PatchCommand] = []
        for element in try JSONReader(strictJSON: bytes, file: file, refusedAs: .manifestInvalid).list() {
            commands.append(try PatchCommand(element))
        }
        return commands
    }

    private init(_ reader: JSONReader) throws(Refusal) {
        let words = try reader.texts()
        guard let name = words.first else { throw reader.refusal("must be a command with its arguments") }
        guard let verb = Verb(rawValue: name) else {
            let hint = Suggestion.hint(for: name, in: Verb.allCases.map(\.rawValue))
            throw reader.refusal("unknown command \"\(name.prefix(80))\"\(hint)")
        }
        let arguments = Array(words.dropFirst())
        let count = verb.argumentCount
        guard count.contains(arguments.count) else {
            let wanted = count.count == 1 ? "\(count.lowerBound)" : "\(count.lowerBound) or \(count.upperBound)"
            throw reader.refusal("\(name) takes \(wanted) of arguments, not \(arguments.count)")
        }
        self.verb = verb
        self.arguments = arguments
        for path in content + targets {
            if let problem = EntryName.problem(in: path.utf8) { throw reader.refusal("\"\(path)\": \(problem)") }
        }
        for path in targets {
            if let problem = EntryName.reservedProblem(inFolder: path) {
                throw reader.refusal("\"\(path)\": \(problem)")
            }
        }
    }

    /// The files, relative to the patch's path, that must be in the archive.
    public var content: [String] {
        switch verb {
        case .filecopy, .filecopyto, .fileupload: Array(arguments.prefix(1))
        case .installform, .replaceform, .installorreplaceform: Array(arguments.dropFirst())
        case .filedelete, .installdata, .replacedata, .installorreplacedata, .deletedata: []
        }
    }

    /// The same command with other names for the files that have to be in the archive. A file that is copied to where it
    /// lies in the patch goes to where it was found.
    func naming(content find: (String) throws(Refusal) -> String) throws(Refusal) -> PatchCommand {
        var command = self
        switch verb {
        case .filecopy, .filecopyto, .fileupload: command.arguments[0] = try find(arguments[0])
        case .installform, .replaceform, .installorreplaceform:
            for index in arguments.indices.dropFirst() { command.arguments[index] = try find(arguments[index]) }
        case .filedelete, .installdata, .replacedata, .installorreplacedata, .deletedata: break
        }
        return command
    }

    /// The files, relative to the folder, that it writes or removes by name.
    public var targets: [String] {
        switch verb {
        case .filecopy, .filedelete: Array(arguments.prefix(1))
        case .filecopyto: Array(arguments.dropFirst())
        default: []
        }
    }
}
