import PatchJSON
import PatchModel

/// The commands that bring the tables and forms of one folder's registry to those of another's, with the plain files of
/// the same tree: a patch with commands brings only what these name.
struct RegistryDifference {
    private(set) var commands: [JSONValue] = []
    private(set) var data: [JSONValue.Member] = []
    /// Files that the commands name.
    private(set) var needed: Set<ExactText> = []
    /// For the vendor.
    private(set) var notes: [String] = []

    /// - Parameters:
    ///   - isChanged: whether a file of the newer tree is new or other than in the older one.
    /// - Throws: ``Failure`` for what `datafiles.json` cannot say.
    init(from old: DataRegistry, to new: DataRegistry, isChanged: (ExactText) -> Bool) throws(Failure) {
        func isOther(_ entry: DataRegistry.Entry, _ before: DataRegistry.Entry?) -> Bool {
            guard let before, !before.deleted else { return true }
            return entry.files != before.files || entry.record != before.record
                || entry.files.contains { isChanged(ExactText($0)) }
        }
        for (name, entry) in new.tables.sorted(by: { $0.key < $1.key }) where !entry.deleted {
            guard isOther(entry, old.tables[name]) else { continue }
            add("installorreplacedata", [name])
            note(name, "files", .array(entry.files.map(JSONValue.string)))
            note(name, "record", entry.record)
            needed.formUnion(entry.files.map { ExactText($0) })
        }
        for (name, entry) in new.forms.sorted(by: { $0.key < $1.key }) where !entry.deleted {
            guard isOther(entry, old.forms[name]) else { continue }
            try bring(form: name, entry)
        }
        for (name, entry) in old.tables.sorted(by: { $0.key < $1.key })
        where !entry.deleted && new.tables[name]?.deleted != false { add("deletedata", [name]) }
        for (name, entry) in old.forms.sorted(by: { $0.key < $1.key })
        where !entry.deleted && new.forms[name]?.deleted != false {
            notes.append("the form \(name) stays in the folders' registries: no command removes one; its files go")
        }
    }

    private mutating func bring(form name: String, _ entry: DataRegistry.Entry) throws(Failure) {
        if entry.files.count == 1 {
            add("installorreplaceform", [name] + entry.files)
        } else {
            let (hasTable, record) = (data.contains { $0.name == name }, entry.record)
            var namesFile = false
            if case .object(let members) = record { namesFile = members.contains { $0.name == "file" } }
            guard !hasTable, !namesFile, !entry.files.isEmpty else {
                throw Failure(
                    "the form \(name) has \(entry.files.count) files, which \(PatchData.fileName) cannot say beside its "
                        + "table or its record's \"file\"; write the patch by hand, see: patchctl init")
            }
            add("installorreplaceform", [name])
            note(name, "files", .array(entry.files.map(JSONValue.string)))
        }
        note(name, "formdata", entry.record)
        needed.formUnion(entry.files.map { ExactText($0) })
    }

    private mutating func add(_ verb: String, _ arguments: [String]) {
        commands.append(.array(([verb] + arguments).map(JSONValue.string)))
    }

    private mutating func note(_ name: String, _ key: String, _ value: JSONValue) {
        let index = data.firstIndex { $0.name == name } ?? data.endIndex
        if index == data.endIndex { data.append(.init(name, .object([]))) }
        guard case .object(let members) = data[index].value else { return }
        data[index].value = .object(members + [.init(key, value)])
    }

    /// `jobs.json` and `datafiles.json`, with the other files to copy.
    func documents(copying files: [ExactText]) -> [String: [UInt8]] {
        let copies = files.filter { !needed.contains($0) }.map { file in
            JSONValue.array([.string("filecopy"), .string(file.description)])
        }
        return [
            PatchCommand.fileName: JSONValue.array(copies + commands).serialized,
            PatchData.fileName: JSONValue.object(data).serialized,
        ]
    }
}
