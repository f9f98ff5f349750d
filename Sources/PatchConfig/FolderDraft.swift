import PatchModel

/// A folder as in its file, before the tree is checked and values are inherited.
struct FolderDraft {
    private static let keys = [
        "name", "parent", "type", "version", "modules", "path", "owner", "database", "credentials",
        "rehearseCredentials", "active",
    ]

    /// The position of the folder's map.
    let place: SourceLocation
    /// As it was written, also when it is malformed, so that its children find it.
    let name: Located<String>
    /// False for the root, and only for it.
    let hasParent: Bool
    /// Nil for the root and where the value is no text.
    let parent: Located<String>?
    let role: Located<Folder.Role>?
    let version: Version?
    let modules: [String]?
    let owner: Located<String>?
    /// Absolute.
    let path: Located<String>
    let database: Located<DatabaseReference>?
    /// Absolute.
    let credentials: Located<String>?
    /// Absolute.
    let rehearseCredentials: Located<String>?
    let active: Bool

    /// Reads one item of `folders`; nil when it is no map or has no name, which is reported.
    ///
    /// - Parameter hasForeignDatabase: whether `database` is any text, which the endpoint's command `sql` knows.
    init?(_ node: YAMLNode, base: String?, hasForeignDatabase: Bool, problems: Problems) {
        guard let section = Section(node, "a folder", keys: Self.keys, problems: problems) else { return nil }
        let checkedName = section.required("name", of: "a folder", ScalarReader.name)
        hasParent = section.place(of: "parent") != nil
        parent = section.value("parent", ScalarReader.line)
        role = section.choice("type", [.supervisor, .standard, .test, .specific])
        version = section.value("version", Self.version)?.value
        modules = section.list("modules", ScalarReader.module)
        owner = section.value("owner", ScalarReader.account)
        database = section.value("database", hasForeignDatabase ? Self.foreignDatabase : Self.database)
        credentials = Self.file("credentials", section)
        rehearseCredentials = Self.file("rehearseCredentials", section)
        active = section.value("active", ScalarReader.flag)?.value ?? true
        let relative = section.value("path", CleanPath.folder)
        guard let name = checkedName ?? section.raw("name") else { return nil }
        self.name = name
        let written = relative ?? name
        path = Located(
            value: written.value.hasPrefix("/") ? written.value : (base ?? "") + "/" + written.value,
            place: written.place)
        place = section.place

        if let base, relative != nil, !CleanPath.isBelow(path.value, base) {
            problems.report(
                at: path.place,
                "folder \"\(name.value)\" is at \(path.value), which is not below its endpoint's \(base)")
        }
        for (key, file) in [("credentials", credentials), ("rehearseCredentials", rehearseCredentials)] {
            guard let file, database == nil else { continue }
            problems.report(at: file.place, "\"\(key)\" are of use only with a \"database\" beside them")
        }
    }

    /// A file with credentials; nil where none is named.
    private static func file(_ key: String, _ section: Section) -> Located<String>? {
        let file = section.value(key) { text throws(InvalidValue) in
            text.isEmpty ? text : try CleanPath.absolute(text)
        }
        return file.flatMap { $0.value.isEmpty ? nil : $0 }
    }

    /// A database.
    ///
    /// - Throws: ``InvalidValue`` when it is none.
    private static func database(_ text: String) throws(InvalidValue) -> DatabaseReference {
        do throws(DatabaseReference.Malformed) {
            return try DatabaseReference(text)
        } catch {
            throw InvalidValue(error.message)
        }
    }

    /// A database that patchd does not speak.
    ///
    /// - Throws: ``InvalidValue`` when it is empty or has more than one line.
    private static func foreignDatabase(_ text: String) throws(InvalidValue) -> DatabaseReference {
        DatabaseReference(foreign: try ScalarReader.line(text))
    }

    /// A version.
    ///
    /// - Throws: ``InvalidValue`` when it is none.
    static func version(_ text: String) throws(InvalidValue) -> Version {
        guard let version = Version(text) else {
            throw InvalidValue(
                "begins with a digit and is at most 64 of the characters 0-9 A-Z a-z . + ~ : -, not \"\(text)\"")
        }
        return version
    }
}
