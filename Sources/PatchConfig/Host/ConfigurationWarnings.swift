public import PatchModel

/// What is odd about a configuration that is taken all the same: values in, sentences out.
public struct ConfigurationWarnings: Sendable {
    /// What waits for the daemon, with the names in its options.
    public struct Choice: Sendable {
        /// `job 12`, or a file in `incoming/`.
        let source: String
        /// The endpoints that it is about; nil for all.
        let endpoints: [String]?
        let options: UpdateOptions

        /// Memberwise.
        public init(source: String, endpoints: [String]?, options: UpdateOptions) {
            self.source = source
            self.endpoints = endpoints
            self.options = options
        }
    }

    let configuration: Configuration
    /// Users who may drop an archive, and those who may approve; without root, who may do both.
    let droppers: Set<String>
    let approvers: Set<String>
    /// Units and unit files of this host; nil where that is not known.
    let units: Set<String>?
    let choices: [Choice]

    /// - Parameters:
    ///   - droppers: users who may drop an archive, but for root.
    ///   - approvers: users who may approve, but for root.
    ///   - units: units and unit files of this host; nil where that is not known.
    ///   - choices: what waits for the daemon.
    public init(
        configuration: Configuration, droppers: Set<String>, approvers: Set<String>, units: Set<String>?,
        choices: [Choice]
    ) {
        self.configuration = configuration
        self.droppers = droppers
        self.approvers = approvers
        self.units = units
        self.choices = choices
    }

    /// A sentence for each.
    public var texts: [String] {
        approval + configuration.endpoints.flatMap { instances($0) + triggers($0) } + choices.flatMap(unknownNames)
    }

    /// Who drops an update must not be who lets it through.
    private var approval: [String] {
        let endpoints = configuration.endpoints.filter { $0.approval == .required }.map(\.name)
        let group = configuration.daemon.approvers
        guard !endpoints.isEmpty, group == "patchd" || !droppers.isEmpty && droppers.isSubset(of: approvers) else {
            return []
        }
        let names = endpoints.joined(separator: ", ")
        return [
            "\(names): \"approval: required\", but everybody who may drop an update (group patchd) may approve it, too "
                + "(group \(group)); name another group with \"approvers\" in patchd.yaml"
        ]
    }

    /// `app@SEED.service` where each folder has a unit of its own.
    private func instances(_ endpoint: Endpoint) -> [String] {
        let folders = endpoint.folders.map(\.name)
        return named(endpoint).compactMap { unit in
            guard let at = unit.firstIndex(of: "@"), let dot = unit.lastIndex(of: "."), at < dot else { return nil }
            let instance = String(unit[unit.index(after: at)..<dot])
            guard folders.contains(instance), folders.count > 1 else { return nil }
            let template = "\(unit[...at])%f\(unit[dot...])"
            return
                "\(endpoint.name): tasks name \(unit), so other folders' instances keep running; \(template) means each "
                + "folder's, and is started again with its folder"
        }
    }

    /// A socket, timer or path that has nothing to start.
    private func triggers(_ endpoint: Endpoint) -> [String] {
        guard let units else { return [] }
        return named(endpoint).compactMap { unit in
            guard let dot = unit.lastIndex(of: "."), [".socket", ".timer", ".path"].contains(String(unit[dot...])),
                !unit.contains(where: { "*?[%".contains($0) }), units.contains(unit)
            else { return nil }
            let stem = unit[..<dot]
            let base = stem.prefix { $0 != "@" }
            guard !units.contains("\(stem).service"), !units.contains("\(base)@.service") else { return nil }
            return
                "\(endpoint.name): tasks name \(unit), and there is no \(stem).service; unless its file names another unit "
                + "it starts nothing"
        }
    }

    private func named(_ endpoint: Endpoint) -> [String] { endpoint.tasks.stop + endpoint.tasks.maintenance }

    private func unknownNames(_ choice: Choice) -> [String] {
        let all = configuration.endpoints.map(\.name)
        let meant = (choice.endpoints ?? choice.options.endpoints).map { names in
            configuration.endpoints.filter { names.contains($0.name) }
        }
        let folders = (meant ?? configuration.endpoints).flatMap { $0.folders.map(\.name) }
        let lists = [
            ("endpoints", choice.options.endpoints ?? [], all, "endpoint"),
            ("exclude", choice.options.exclude, folders, "folder"), ("only", choice.options.only, folders, "folder"),
        ]
        return lists.flatMap { key, names, known, word in
            names.filter { !known.contains($0) }.map { name in
                "\(choice.source): \"\(key)\" names the \(word) \"\(name)\", which is not configured"
                    + Suggestion.hint(for: name, in: known)
            }
        }
    }
}
