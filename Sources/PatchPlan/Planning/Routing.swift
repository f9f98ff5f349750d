import PatchModel

/// Which of the folders at which a patch aims get one of its files (contract §5: `programFiles`, `specificPrograms` and
/// the folders' types).
struct Routing {
    /// How an endpoint treats a file.
    private enum Route {
        /// For every folder.
        case plain
        /// For the root and for test folders; the others inherit it.
        case program
        /// For the folders that already have it; where none has, for those of the type `specific`.
        case specific
    }

    private let endpoint: Endpoint
    private let programs: [Glob]
    private let specific: [Glob]
    private let facts: [String: FolderFacts]
    /// Routes of the update's own files, so that each is compared with the globs once and not once a folder.
    private var known: [ExactText: Route] = [:]

    /// - Parameters:
    ///   - paths: files of the update, relative to the folders.
    ///   - facts: by folder, the specific programs that exist there.
    init(_ endpoint: Endpoint, paths: some Sequence<ExactText>, facts: [String: FolderFacts]) {
        self.endpoint = endpoint
        self.facts = facts
        programs = endpoint.programFiles.map { Glob($0) }
        specific = endpoint.specificPrograms.map { Glob($0) }
        if programs.isEmpty, specific.isEmpty { return }
        for path in paths { known[path] = route(of: path) }
    }

    /// Whether every folder gets every file.
    var isOpen: Bool { programs.isEmpty && specific.isEmpty }

    /// Whether a folder at which the file's patch aims gets it.
    func takes(_ path: ExactText, in folder: Folder) -> Bool {
        if isOpen { return true }
        switch known[path] ?? route(of: path) {
        case .plain: return true
        case .program: return folder.parent == nil || folder.role == .test
        case .specific:
            let holders = holders(of: path)
            return holders.isEmpty ? folder.role == .specific : holders.contains(folder.name)
        }
    }

    /// Whether a file is routed by what the folders already have.
    func isSpecific(_ path: ExactText) -> Bool { !specific.isEmpty && (known[path] ?? route(of: path)) == .specific }

    /// The active folders that have a specific program.
    func holders(of path: ExactText) -> [String] {
        endpoint.activeFolders.map(\.name).filter { facts[$0]?.present.contains(path) == true }
    }

    private func route(of path: ExactText) -> Route {
        let text = path.description
        if specific.contains(where: { $0.matches(path: text) }) { return .specific }
        return programs.contains { $0.matches(path: text) } ? .program : .plain
    }

    /// Why no folder of the job gets a specific program; nil where one does.
    ///
    /// - Parameter receivers: the folders to which the job brings its patch.
    func stray(_ path: ExactText, receivers: [Folder]) -> String? {
        if receivers.contains(where: { takes(path, in: $0) }) { return nil }
        let holders = holders(of: path)
        let start = "the specific program \"\(path)\" goes nowhere"
        if !holders.isEmpty {
            return "\(start): only \(holders.joined(separator: ", ")) has it, which this job does not bring it to"
        }
        let specific = endpoint.activeFolders.filter { $0.role == .specific }.map(\.name)
        return specific.isEmpty
            ? "\(start): no folder of \(endpoint.name) has it, and none is of the type specific"
            : "\(start): no folder of \(endpoint.name) has it, and this job does not bring it to "
                + specific.joined(separator: ", ")
    }
}

extension Planner {
    /// The folders to which this job brings specific programs, and which.
    private func receivers(_ lines: [FolderPlan]) -> [(content: PatchContent, folders: [Folder])] {
        let pending = endpoint.folders.filter { folder in
            lines.contains { $0.folder == folder.name && $0.state == .pending }
        }
        return contents.filter { !$0.specific.isEmpty }.map { content in
            (content, pending.filter { chosen(for: $0).contains { $0.patch.name == content.patch.name } })
        }.filter { !$0.folders.isEmpty }
    }

    /// The specific programs that this job brings: for each active folder it must be known whether it has them.
    func specificPrograms(_ lines: [FolderPlan]) -> [ExactText] {
        Set(receivers(lines).flatMap { $0.content.specific }).sorted()
    }

    /// Warns of specific programs that no folder gets, and of folders whose specific programs are not known.
    func route(_ plan: inout EndpointPlan) {
        var isOpen = false
        for (content, folders) in receivers(plan.folders) {
            for path in content.specific {
                isOpen = isOpen || routing.holders(of: path).isEmpty
                if let stray = routing.stray(path, receivers: folders) { plan.warnings.append(stray) }
            }
        }
        // A folder that is in the job reports the fault itself.
        for folder in endpoint.activeFolders where isOpen && facts[folder.name] == nil {
            let fault = factsFault(folder)
            if !plan.faults.contains(fault) { plan.faults.append(fault) }
        }
    }
}

extension PatchContent {
    /// What one of the folders at which the patch aims gets of it.
    struct Share {
        var directories: [(path: ExactText, step: PlannedStep)]
        var files: [PlannedStep]
        var handed: [PlannedStep]
    }

    /// A folder's share. A directory comes with its content: one of which the folder gets nothing is not created, nor
    /// one whose files all go to handlers.
    func share(of folder: Folder, _ routing: Routing) -> Share {
        func isTaken(_ step: PlannedStep) -> Bool { routing.takes(ExactText(step.path), in: folder) }
        var share = Share(directories: directories, files: files, handed: handed)
        if !routing.isOpen {
            share.files = files.filter(isTaken)
            share.handed = handed.filter(isTaken)
        }
        guard share.files.count < files.count || !handed.isEmpty else { return share }
        let filled = Set((files + handed).flatMap { ExactText($0.path).parents })
        let empty = directories.map(\.path).filter { !filled.contains($0) }
        let wanted = Set(
            empty + empty.flatMap(\.parents) + share.files.flatMap { ExactText($0.path).parents })
        share.directories = directories.filter { wanted.contains($0.path) }
        return share
    }
}
