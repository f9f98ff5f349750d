/// What a folder's database knows of migrations, and what follows for those that an update brings. Pure decisions.
public struct MigrationRecords: Hashable, Codable, Sendable {
    /// One that is done.
    public struct Record: Hashable, Codable, Sendable {
        /// ``MigrationRule/sequence``.
        public var sequence: String
        /// Without `.sql`.
        public var name: String

        /// Memberwise.
        public init(sequence: String, name: String) {
            self.sequence = sequence
            self.name = name
        }
    }

    /// Those that are done.
    public private(set) var done: Set<Record>
    /// The name of the migration up to which all count as done, in every sequence; nil for none.
    public private(set) var mark: String?
    /// Of those that were asked for and are done: those whose content is another than the one that ran.
    public var changed: [Record]

    /// No migration is done.
    public init() { (done, mark, changed) = ([], nil, []) }

    /// What the keys of finished scripts say; those of other scripts are left out.
    public init(_ keys: some Sequence<StepKey>) {
        self.init()
        for key in keys {
            guard let name = key.migration else { continue }
            if key.isMark {
                mark = name.description
            } else {
                done.insert(Record(sequence: key.patch, name: name.description))
            }
        }
    }

    /// Whether a migration is done here, or counts as done.
    public func isDone(_ name: MigrationName, in sequence: String) -> Bool {
        if let mark = mark.flatMap(MigrationName.init), name.number <= mark.number { return true }
        return done.contains(Record(sequence: sequence, name: name.description))
    }

    /// What is wrong with the numbers of migrations that are to run, in words, one text a migration.
    ///
    /// - Parameters:
    ///   - names: those that are not done, of one directory and in their order.
    ///   - others: all of the directory.
    public func trouble(with names: [MigrationName], among others: [MigrationName], in sequence: String) -> [String] {
        if names.isEmpty { return [] }
        let recorded = done.filter { $0.sequence == sequence }.compactMap { MigrationName($0.name) }
        let highest = recorded.max()
        let byNumber = Dictionary(grouping: recorded + others, by: \.number)
        return names.compactMap { name in
            if let twin = byNumber[name.number]?.filter({ $0 != name }).min() {
                return "\(name).sql has the number \(name.number) of \(twin).sql"
            }
            guard let highest, name.number < highest.number else { return nil }
            return "\(name).sql has the number \(name.number), and \(highest).sql has run already"
        }
    }

    /// How such a trouble ends.
    public static let wayOut =
        "; ask the vendor for another number, or for \"outOfOrder\": true in the patch where the order does not matter"
}

/// As one text, for a field of a ledger.
extension MigrationRecords {
    /// Never empty.
    public var text: String {
        let records = done.map { [$0.sequence, $0.name] }.sorted { $0.lexicographicallyPrecedes($1) }
        let fields = [mark ?? "", "\(records.count)"] + (records + changed.map { [$0.sequence, $0.name] }).joined()
        var line: [UInt8] = []
        FieldLine.append(fields, to: &line)
        return String(decoding: line, as: UTF8.self)
    }

    /// Reads ``text``; nil when it is none.
    public init?(text: String) {
        let fields = FieldLine.fields(Array(text.utf8)[...])
        guard fields.count % 2 == 0, fields.count >= 2, let count = Int(fields[1]), count >= 0,
            count <= fields.count / 2 - 1
        else { return nil }
        let records = stride(from: 2, to: fields.count, by: 2).map {
            Record(sequence: fields[$0], name: fields[$0 + 1])
        }
        done = Set(records.prefix(count))
        changed = Array(records.dropFirst(count))
        mark = fields[0].isEmpty ? nil : fields[0]
    }
}
