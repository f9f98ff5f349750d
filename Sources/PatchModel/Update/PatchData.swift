import PatchJSON

/// One table or form of a patch's `datafiles.json` (contract §4).
public struct PatchData: Hashable, Codable, Sendable {
    /// The table's or form's name.
    public var name: String
    /// Its files, relative to the patch's path; globs.
    public var files: [String]
    /// Its registry record as a table; nil where it has none.
    public var record: JSONValue?
    /// Its registry record as a form; nil where it has none.
    public var formData: JSONValue?
    /// A CSV file, relative to the patch's path; nil where it has none.
    public var rows: String?
    /// Columns by which rows are upserted; empty: rows are added.
    public var key: [String]
    /// Columns that are the folder's own settings.
    public var preserve: [String]

    /// The form's own file, relative to the patch's path, where its record has a text `file`; nil where it has none.
    public internal(set) var formFile: String? {
        get {
            guard case .object(let members) = formData,
                case .string(let file)? = members.first(where: { $0.name == "file" })?.value
            else { return nil }
            return file
        }
        set {
            guard case .object(var members) = formData, let newValue,
                let index = members.firstIndex(where: { $0.name == "file" })
            else { return }
            members[index].value = .string(newValue)
            formData = .object(members)
        }
    }

    /// The file's name in a patch's path.
    public static let fileName = "datafiles.json"

    /// Reads a whole `datafiles.json`, in its order.
    ///
    /// - Parameter file: Its path in the archive, for messages.
    /// - Throws: ``Refusal`` with the code `manifestInvalid`: no strict JSON, an unknown key, a wrong type, a file name that
    ///   is not clean. Whether the files exist is for the caller to see.
    public static func list(strictJSON bytes: [UInt8], file: String) throws(Refusal) -> [PatchData] {
        var all: [PatchData] = []
        for member in try JSONReader(strictJSON: bytes, file: file, refusedAs: .manifestInvalid).anyObject() {
            all.append(try PatchData(member.name, member.value))
        }
        let globs = all.flatMap(\.files).filter { Glob($0).isPattern }
        guard globs.count <= Glob.most, globs.allSatisfy({ $0.utf8.count <= Glob.longest }) else {
            throw Refusal(
                .limitExceeded, at: file,
                "has more than \(Glob.most) patterns in \"files\", or one of more than \(Glob.longest) bytes")
        }
        return all
    }

    private init(_ name: String, _ reader: JSONReader) throws(Refusal) {
        let members = try reader.object(optional: ["files", "record", "formdata", "rows", "key", "preserve"])
        guard !name.isEmpty else { throw reader.refusal("a table or form needs a name") }
        self.name = name
        files = try members["files"]?.texts() ?? []
        record = members["record"]?.value
        formData = members["formdata"]?.value
        rows = try members["rows"]?.text()
        key = try members["key"]?.texts() ?? []
        preserve = try members["preserve"]?.texts() ?? []
        for record in [members["record"], members["formdata"]] { _ = try record?.anyObject() }
        for path in files + [rows, formFile].compactMap({ $0 }) {
            if let problem = EntryName.problem(in: path.utf8) { throw reader.refusal("\"\(path)\": \(problem)") }
        }
    }
}
