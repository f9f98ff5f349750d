import Glibc
import PatchModel

/// Holds a configuration against this host: directories, users, groups, units. What is missing here may come later, so
/// none of it keeps the configuration from being loaded; `config check` and each job's preflight report it.
struct HostCheck {
    let units: KnownUnits
    let problems: Problems

    /// Reports what this host does not have.
    func check(_ settings: DaemonSettings, approvers: SourceLocation?, _ drafts: [EndpointDraft]) {
        if let approvers { check(group: settings.approvers, at: approvers) }
        for draft in drafts {
            checkDirectories(draft)
            checkOwners(draft)
            checkSandbox(draft)
            for (key, names) in [
                ("stop", draft.endpoint.tasks.stop), ("maintenance", draft.endpoint.tasks.maintenance),
            ] {
                for name in names {
                    guard let problem = units.missing(name, folders: draft.endpoint.activeFolders.map(\.name)) else {
                        continue
                    }
                    problems.report(at: draft.taskPlaces[key] ?? draft.place, "\"tasks.\(key)\": \(problem)")
                }
            }
        }
    }

    /// The default group need not exist: then nobody but root commands.
    private func check(group name: String, at place: SourceLocation) {
        guard name != DaemonSettings().approvers, !GroupDatabase.exists(name) else { return }
        problems.report(
            at: place,
            "\"approvers\" names the group \"\(name)\", which this host does not have"
                + Suggestion.hint(for: name, in: GroupDatabase.names()))
    }

    private func checkDirectories(_ draft: EndpointDraft) {
        guard let path = draft.path else { return }
        guard let problem = problem(withDirectory: path.value) else { return checkFolders(draft) }
        problems.report(at: path.place, "\"path\": \(problem); create it, or correct the path")
    }

    private func checkFolders(_ draft: EndpointDraft) {
        let active = Set(draft.endpoint.activeFolders.map(\.name))
        for folder in draft.folders where active.contains(folder.name.value) {
            if let problem = problem(withDirectory: folder.path.value) {
                problems.report(
                    at: folder.path.place,
                    "folder \"\(folder.name.value)\": \(problem); create it, correct its \"path\", or say "
                        + "\"active: false\"")
            } else if let database = folder.database, let file = database.value.file {
                let place = file.hasPrefix("/") ? file : folder.path.value + "/" + file
                guard access(place, F_OK) != 0, errno == ENOENT else { continue }
                problems.report(
                    at: database.place, "there is no database \(place); create it, or take \"database\" out")
            }
        }
    }

    private func problem(withDirectory path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            // Who may not look there learns nothing about it.
            if code == EACCES { return nil }
            return code == ENOENT
                ? "there is no directory \(path)" : "\(path) cannot be examined: \(ConfigurationFile.text(code))"
        }
        return status.st_mode & S_IFMT == S_IFDIR ? nil : "\(path) is no directory"
    }

    private func checkSandbox(_ draft: EndpointDraft) {
        for path in draft.sandboxPaths where access(path.value, F_OK) != 0 && errno == ENOENT {
            problems.report(
                at: path.place, "\"sandbox\": there is no \(path.value); create it, or take it out")
        }
    }

    private func checkOwners(_ draft: EndpointDraft) {
        for owner in [draft.owner].compactMap({ $0 }) + draft.folders.compactMap(\.owner) {
            guard UserDatabase.isMissing(owner.value) else { continue }
            problems.report(
                at: owner.place,
                "\"owner\" names the user \"\(owner.value)\", whom this host does not have; create the user, or correct "
                    + "the name")
        }
    }
}
