import PatchModel

/// An endpoint as in its file, with the positions that checks across endpoints report.
struct EndpointDraft {
    var endpoint: Endpoint
    let place: SourceLocation
    let name: Located<String>?
    let path: Located<String>?
    let owner: Located<String>?
    /// Where the keys of `tasks` stand.
    let taskPlaces: [String: SourceLocation]
    /// The paths in `sandbox`.
    let sandboxPaths: [Located<String>]
    let folders: [FolderDraft]
}

/// Reads one file of `endpoints.d`.
struct EndpointReader {
    static let directory = "endpoints.d"
    private static let keys = [
        "endpoint", "path", "accepts", "tasks", "leadTime", "grace", "disconnect", "spare", "backup", "restore",
        "links", "onFailure", "behind", "maxFailures", "canary", "canaryPause", "approval", "windows", "scriptTimeout",
        "programFiles", "specificPrograms", "sandbox", "rehearse", "sql",
        "hooks", "handlers",
        "version", "modules", "owner", "folders",
    ]

    let units: KnownUnits
    let problems: Problems

    /// The endpoint, with the default where a key is missing or wrong; nil when the file holds no map.
    func read(_ node: YAMLNode) -> EndpointDraft? {
        guard let section = Section(node, "an endpoint's file", keys: Self.keys, problems: problems) else { return nil }
        let name = section.required("endpoint", of: "an endpoint", Self.name)
        let path = section.required("path", of: "an endpoint", CleanPath.absolute)
        var endpoint = Endpoint(name: name?.value ?? "", path: path?.value ?? "", folders: [])
        section.read("sql", into: &endpoint.sql, ScalarReader.command)
        let folders = readFolders(section, base: path?.value, hasForeignDatabases: !endpoint.sql.isEmpty)

        endpoint.accepts = section.list("accepts", atMost: Glob.most, ScalarReader.nameGlob)
        let tasks = readTasks(section, into: &endpoint.tasks)
        section.read("leadTime", into: &endpoint.leadTime, Quantity.duration)
        section.read("grace", into: &endpoint.grace, Quantity.duration)
        section.read("disconnect", into: &endpoint.disconnect, oneOf: [.always, .onDemand])
        section.read("spare", into: &endpoint.spare, eachBy: ScalarReader.account)
        readBackup(section, into: &endpoint)
        section.read("links", into: &endpoint.links, oneOf: [.deny, .inside])
        section.read("onFailure", into: &endpoint.onFailure, oneOf: [.hold, .revert, .revertAll])
        section.read("behind", into: &endpoint.behind, oneOf: [.locked, .usable])
        section.read("maxFailures", into: &endpoint.maxFailures, Quantity.number(0...1_000_000))
        section.read("canaryPause", into: &endpoint.canaryPause, Self.canaryPause)
        section.read("approval", into: &endpoint.approval, oneOf: [.none, .required])
        section.read("rehearse", into: &endpoint.rehearse, oneOf: [.off, .test, .always])
        section.read("windows", into: &endpoint.windows, eachBy: Self.window)
        section.read("scriptTimeout", into: &endpoint.scriptTimeout, Quantity.limit)
        endpoint.programFiles = globs("programFiles", section)
        endpoint.specificPrograms = globs("specificPrograms", section)
        readHandlers(section, into: &endpoint.handlers)
        let hooks = section.section("hooks", keys: ["before", "validate", "after"])
        hooks?.read("before", into: &endpoint.hooks.before, ScalarReader.command)
        hooks?.read("validate", into: &endpoint.hooks.validate, ScalarReader.command)
        hooks?.read("after", into: &endpoint.hooks.after, ScalarReader.command)
        let sandbox = SandboxReader(section, problems: problems)
        endpoint.sandbox = sandbox.sandbox

        let owner = section.value("owner", ScalarReader.account)
        endpoint.folders = FolderTree(folders, problems: problems).folders(
            version: section.value("version", FolderDraft.version)?.value,
            modules: section.list("modules", ScalarReader.module) ?? [],
            owner: owner?.value)
        readCanary(section, folders, into: &endpoint)
        var taskPlaces: [String: SourceLocation] = [:]
        for (key, names) in [("stop", endpoint.tasks.stop), ("maintenance", endpoint.tasks.maintenance)] {
            taskPlaces[key] = tasks?.place(of: key)
            if let refusal = units.refusal, !names.isEmpty {
                problems.report(at: taskPlaces[key] ?? section.place, "\"tasks.\(key)\": \(refusal)")
            }
        }
        return EndpointDraft(
            endpoint: endpoint, place: section.place, name: name, path: path, owner: owner, taskPlaces: taskPlaces,
            sandboxPaths: sandbox.paths, folders: folders)
    }

    /// An endpoint's name.
    ///
    /// - Throws: ``InvalidValue`` when it is malformed, or `all`, which has another meaning in holds.
    private static func name(_ text: String) throws(InvalidValue) -> String {
        let name = try ScalarReader.name(text)
        guard name.lowercased() != "all" else {
            throw InvalidValue("cannot be \"\(name)\": in holds that stands for every endpoint")
        }
        return name
    }

    /// A window.
    ///
    /// - Throws: ``InvalidValue`` as `UpdateWindow` does.
    private static func window(_ text: String) throws(InvalidValue) -> UpdateWindow {
        do throws(UpdateWindow.Malformed) {
            return try UpdateWindow(text)
        } catch {
            throw InvalidValue(error.message)
        }
    }

    /// How long the others wait after the canary.
    ///
    /// - Throws: ``InvalidValue`` as ``Quantity/duration(_:)`` does, for other words than `approval`.
    private static func canaryPause(_ text: String) throws(InvalidValue) -> CanaryPause {
        if text == "approval" { return .approval }
        guard text.first?.isNumber == true else {
            let hint = Suggestion.hint(for: text, in: ["approval"])
            throw InvalidValue("is a duration such as 60s, 5m, 1h or 2d, or approval, not \"\(text)\"" + hint)
        }
        return .seconds(try Quantity.duration(text))
    }

    /// The folders that go first: each one of this endpoint, active and named once.
    private func readCanary(_ section: Section, _ drafts: [FolderDraft], into endpoint: inout Endpoint) {
        let known = endpoint.folders.map(\.name)
        let active = Set(endpoint.activeFolders.map(\.name))
        // Where a folder could not be read, a missing one may be that.
        let isWhole = !drafts.isEmpty && section.items("folders")?.count == drafts.count
        for item in section.items("canary") ?? [] {
            guard let name = section.value(of: item, "an item of \"canary\"", ScalarReader.name) else { continue }
            if !known.contains(name.value) {
                guard isWhole else { continue }
                problems.report(
                    at: name.place,
                    "\"canary\" names \"\(name.value)\", which is no folder of this endpoint"
                        + Suggestion.hint(for: name.value, in: known))
            } else if !active.contains(name.value) {
                if !isWhole { continue }
                problems.report(
                    at: name.place,
                    "\"canary\" names \"\(name.value)\", which is inactive or lies below an inactive folder"
                        + Suggestion.hint(for: name.value, in: known.filter(active.contains)))
            } else if endpoint.canary.contains(name.value) {
                problems.report(at: name.place, "\"\(name.value)\" is given twice in \"canary\"")
            } else {
                endpoint.canary.append(name.value)
            }
        }
    }

    private func readFolders(_ section: Section, base: String?, hasForeignDatabases: Bool) -> [FolderDraft] {
        guard let key = section.place(of: "folders") else {
            problems.report(at: section.place, "an endpoint needs the key \"folders\"")
            return []
        }
        guard let items = section.items("folders") else { return [] }
        if items.isEmpty { problems.report(at: key, "an endpoint has at least one folder, the root") }
        let drafts = items.compactMap {
            FolderDraft($0, base: base, hasForeignDatabase: hasForeignDatabases, problems: problems)
        }
        guard !drafts.isEmpty else { return [] }
        FolderTree(drafts, problems: problems).check(endpoint: key, isWhole: drafts.count == items.count)
        return drafts
    }

    private func readTasks(_ section: Section, into tasks: inout Endpoint.Tasks) -> Section? {
        let keys = ["stop", "maintenance", "stopCommand", "startCommand", "idleCheck"]
        guard let inner = section.section("tasks", keys: keys) else { return nil }
        inner.read("stop", into: &tasks.stop, eachBy: ScalarReader.unitGlob)
        inner.read("maintenance", into: &tasks.maintenance, eachBy: ScalarReader.unit)
        inner.read("stopCommand", into: &tasks.stopCommand, ScalarReader.command)
        inner.read("startCommand", into: &tasks.startCommand, ScalarReader.command)
        inner.read("idleCheck", into: &tasks.idleCheck, ScalarReader.command)
        return inner
    }

    private func readBackup(_ section: Section, into endpoint: inout Endpoint) {
        section.read("backup", into: &endpoint.backup, ScalarReader.backup)
        section.read("restore", into: &endpoint.restore, ScalarReader.command)
        let isCommand = !["auto", "none"].contains(endpoint.backup)
        if let place = section.place(of: "restore"), !endpoint.restore.isEmpty, !isCommand {
            problems.report(
                at: place, "\"restore\" is for a \"backup\" that is a command; with \(endpoint.backup), leave it out")
        }
        if let place = section.place(of: "backup"), endpoint.restore.isEmpty, isCommand {
            problems.report(at: place, "\"backup\" is a command, so \"restore\" is needed: the command that undoes it")
        }
    }

    private func globs(_ key: String, _ section: Section) -> [String] {
        var globs: [String] = []
        for item in section.items(key, atMost: Glob.most) ?? [] {
            guard let glob = section.value(of: item, "an item of \"\(key)\"", ScalarReader.glob) else { continue }
            if globs.contains(glob.value) {
                problems.report(at: glob.place, "\"\(glob.value)\" is given twice in \"\(key)\"")
            }
            globs.append(glob.value)
        }
        return globs
    }

    private func readHandlers(_ section: Section, into handlers: inout [String: String]) {
        for pair in section.pairs("handlers") ?? [] {
            guard Self.isExtension(pair.key) else {
                problems.report(
                    at: pair.place,
                    "a handler's key is a file extension without the dot before it, such as dat or tar.gz, not "
                        + "\"\(pair.key)\"")
                continue
            }
            handlers[pair.key] = section.value(of: pair.value, "handler \"\(pair.key)\"", Self.handler)?.value
        }
    }

    private static func isExtension(_ text: String) -> Bool {
        !text.contains { $0 == "/" || $0.isWhitespace }
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
    }

    /// A handler's command line.
    ///
    /// - Throws: ``InvalidValue`` when ``HandlerCommand`` could not run it.
    private static func handler(_ text: String) throws(InvalidValue) -> String {
        let line = try ScalarReader.line(text)
        do throws(HandlerCommand.Malformed) {
            _ = try HandlerCommand(line)
        } catch {
            throw InvalidValue(error.message)
        }
        return line
    }
}
