import PatchJSON

/// `<folder>/registry.json`: the tables and forms that updates have brought to a folder (contract §4).
///
/// Keys that this version does not know are kept.
public struct DataRegistry: Hashable, Sendable {
    /// One table or form.
    public struct Entry: Hashable, Sendable {
        /// Its files, relative to the folder.
        public var files: [String]
        /// Its registry record, an object of the vendor's own.
        public var record: JSONValue
        /// Whether it was deleted since; its files are then removed.
        public var deleted: Bool
        /// Members of other names.
        fileprivate var rest: [JSONValue.Member] = []

        /// Memberwise.
        public init(files: [String] = [], record: JSONValue = .object([]), deleted: Bool = false) {
            self.files = files
            self.record = record
            self.deleted = deleted
        }
    }

    /// Why a registry cannot be used.
    public struct Damage: Error, Hashable, Sendable, CustomStringConvertible {
        /// For people.
        public var description: String
    }

    /// By name.
    public var tables: [String: Entry] = [:]
    /// By name.
    public var forms: [String: Entry] = [:]
    private var rest: [JSONValue.Member] = []

    /// The file's name at the top of a folder.
    public static let fileName = "registry.json"
    /// Bytes that the file may have. A folder's owner writes it as he likes, and the daemon plans with it.
    public static let sizeLimit = 16 << 20

    /// The registry of a folder that has no such file.
    public init() {}

    /// Reads the file.
    ///
    /// - Throws: ``Damage`` when it is not what this version or an earlier one writes. It is never treated as empty
    ///   then.
    public init(text: String) throws(Damage) {
        guard text.utf8.count <= Self.sizeLimit else {
            throw Damage(description: "it has more than \(Self.sizeLimit) bytes")
        }
        let value: JSONValue
        do throws(JSONError) {
            // Records are nested deeper here than in the file that brought them.
            value = try StrictJSON.parse(Array(text.utf8), maximumDepth: 32)
        } catch {
            throw Damage(description: error.description)
        }
        guard case .object(let members) = value else { throw Damage(description: "it is no object") }
        var schema: JSONValue?
        for member in members {
            switch member.name {
            case "schema": schema = member.value
            case "tables": tables = try Self.entries(member)
            case "forms": forms = try Self.entries(member)
            default: rest.append(member)
            }
        }
        guard schema == .number("1") else {
            throw Damage(description: schema == nil ? "it has no \"schema\"" : "its \"schema\" is not 1")
        }
    }

    private static func entries(_ member: JSONValue.Member) throws(Damage) -> [String: Entry] {
        guard case .object(let members) = member.value else {
            throw Damage(description: "\"\(member.name)\" is no object")
        }
        var entries: [String: Entry] = [:]
        for each in members {
            do throws(Damage) {
                entries[each.name] = try Entry(each.value)
            } catch {
                throw Damage(description: "\(member.name).\(each.name): \(error)")
            }
        }
        return entries
    }

    /// The file's content; the same registry always gives the same text.
    public var text: String {
        let value = JSONValue.object(
            [
                .init("schema", .number("1")), .init("tables", Self.value(tables)), .init("forms", Self.value(forms)),
            ] + rest)
        return String(decoding: value.serialized, as: UTF8.self) + "\n"
    }

    private static func value(_ entries: [String: Entry]) -> JSONValue {
        let sorted = entries.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return .object(sorted.map { .init($0.key, $0.value.value) })
    }
}

extension DataRegistry.Entry {
    fileprivate init(_ value: JSONValue) throws(DataRegistry.Damage) {
        self.init()
        guard case .object(let members) = value else { throw .init(description: "is no object") }
        for member in members {
            switch (member.name, member.value) {
            case ("files", .array(let values)): files = try values.map(Self.path)
            case ("record", .object): record = member.value
            case ("deleted", .bool(let flag)): deleted = flag
            case ("files", _), ("record", _), ("deleted", _):
                throw .init(description: "\"\(member.name)\" is \(member.value.kind)")
            default: rest.append(member)
            }
        }
    }

    /// These paths will be removed as the folder's owner, so the rules for names in archives apply.
    private static func path(_ value: JSONValue) throws(DataRegistry.Damage) -> String {
        guard case .string(let path) = value else { throw .init(description: "\"files\" has \(value.kind)") }
        if let problem = EntryName.problem(in: path.utf8) ?? EntryName.reservedProblem(inFolder: path) {
            throw .init(description: "\"\(path)\": \(problem)")
        }
        return path
    }

    fileprivate var value: JSONValue {
        .object(
            [
                .init("files", .array(files.map { .string($0) })), .init("record", record),
                .init("deleted", .bool(deleted)),
            ] + rest)
    }
}
