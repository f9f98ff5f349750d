import PatchJSON

extension UpdateOptions {
    /// Reads `NAME.zip.json` (contract §6). All keys are optional; keys that the contract does not name are refused.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - file: What it is called, for messages.
    /// - Throws: ``Refusal`` with the code `optionsInvalid`. Whether the names exist is no matter of this file alone:
    ///   `PatchPlan` holds them against update and endpoints.
    public init(strictJSON bytes: [UInt8], file: String = "options") throws(Refusal) {
        try self.init(JSONReader(strictJSON: bytes, file: file, refusedAs: .optionsInvalid))
    }

    /// Reads options that are part of another file, such as a request.
    ///
    /// - Throws: ``Refusal`` with the reader's code.
    public init(_ reader: JSONReader) throws(Refusal) {
        let members = try reader.object(optional: [
            "operation", "endpoints", "exclude", "only", "patches", "force", "rehearse",
        ])
        self.init()
        if let operation = members["operation"] { self.operation = try operation.operation() }
        if let endpoints = members["endpoints"] {
            let names = try endpoints.texts()
            guard !names.isEmpty else {
                throw endpoints.refusal("names no endpoint; leave the key out for all that accept the update")
            }
            self.endpoints = names
        }
        exclude = try members["exclude"]?.texts() ?? []
        only = try members["only"]?.texts() ?? []
        force = try members["force"]?.flag() ?? false
        rehearse = try members["rehearse"]?.rehearse()
        for (name, value) in try members["patches"]?.anyObject() ?? [] { patches[name] = try value.flag() }
        if let name = only.first(where: exclude.contains) {
            throw reader.refusal("\"\(name)\" stands in \"only\" and in \"exclude\"")
        }
    }

    /// The options with those replaced that an approver gives (contract §9, `approve`): `exclude`, `only`, `force` and `rehearse`
    /// as a whole, `patches` one by one.
    ///
    /// - Throws: ``Refusal`` with the reader's code, also for what is settled once there is a job: operation and endpoints.
    public func changed(by reader: JSONReader) throws(Refusal) -> UpdateOptions {
        let given = try UpdateOptions(reader)
        guard given.operation == .apply else {
            throw reader.refusal("a job that waits for approval applies; drop a test")
        }
        guard given.endpoints == nil else { throw reader.refusal("a job is for one endpoint, which cannot be changed") }
        let keys = Set(try reader.anyObject().map(\.name))
        var changed = self
        if keys.contains("exclude") { changed.exclude = given.exclude }
        if keys.contains("only") { changed.only = given.only }
        if keys.contains("force") { changed.force = given.force }
        if keys.contains("rehearse") { changed.rehearse = given.rehearse }
        changed.patches.merge(given.patches) { $1 }
        return changed
    }

    /// The options as a file that ``init(strictJSON:file:)`` reads back, the same bytes for the same options.
    public var strictJSON: [UInt8] {
        var members = [JSONValue.Member("operation", .string(operation.rawValue))]
        if let endpoints { members.append(.init("endpoints", .array(endpoints.map(JSONValue.string)))) }
        if !exclude.isEmpty { members.append(.init("exclude", .array(exclude.map(JSONValue.string)))) }
        if !only.isEmpty { members.append(.init("only", .array(only.map(JSONValue.string)))) }
        if !patches.isEmpty {
            let sorted = patches.sorted { $0.key < $1.key }
            members.append(.init("patches", .object(sorted.map { .init($0.key, .bool($0.value)) })))
        }
        if force { members.append(.init("force", .bool(true))) }
        if let rehearse { members.append(.init("rehearse", rehearse == .once ? .bool(true) : .string("twice"))) }
        return JSONValue.object(members).serialized
    }
}

extension JSONReader {
    /// `true`, `false` or `"twice"`.
    fileprivate func rehearse() throws(Refusal) -> UpdateOptions.Rehearse? {
        guard case .string(let text) = value else { return try flag() ? .once : nil }
        guard text == "twice" else { throw refusal("must be true, false or \"twice\", not \"\(text.prefix(80))\"") }
        return .twice
    }

    fileprivate func operation() throws(Refusal) -> UpdateOptions.Operation {
        let text = try text()
        switch UpdateOptions.Operation(rawValue: text) {
        case .apply: return .apply
        case .test: return .test
        case .rollback, nil: throw refusal("must be \"apply\" or \"test\", not \"\(text.prefix(80))\"")
        }
    }
}
