import PatchModel

/// Checks all endpoints against each other.
struct EndpointsCheck {
    let problems: Problems
    /// Whether paths count by where they lead on this host; else as they are written.
    let followsLinks: Bool

    /// Reports what does not go together.
    func check(_ drafts: [EndpointDraft]) {
        checkNames(drafts)
        checkPaths(drafts)
        checkDatabases(drafts)
        guard drafts.count > 1 else { return }
        for draft in drafts where draft.endpoint.accepts == nil {
            problems.report(
                at: draft.name?.place ?? draft.place,
                "\"accepts\" is needed, as this host has \(drafts.count) endpoints: globs of the updates that are for "
                    + "this one, such as accepts: [\"X3V8_*\"]")
        }
    }

    private func checkNames(_ drafts: [EndpointDraft]) {
        var seen: [String: Located<String>] = [:]
        for name in drafts.compactMap(\.name) {
            if let first = seen[name.value.lowercased()] {
                problems.report(
                    at: name.place,
                    "endpoint \"\(name.value)\" has the name of \"\(first.value)\" in \(first.place.file); names are "
                        + "unique regardless of case")
            } else {
                seen[name.value.lowercased()] = name
            }
        }
    }

    private func checkPaths(_ drafts: [EndpointDraft]) {
        // Two jobs at once in one tree would each undo what the other does.
        let paths = drafts.compactMap(\.path).map { path in
            (path, real: followsLinks ? CleanPath.resolved(path.value) : path.value)
        }
        for (index, (path, real)) in paths.enumerated() {
            let other = paths.enumerated().first { position, other in
                (other.real == real && position < index) || CleanPath.isBelow(real, other.real)
            }?.element
            guard let (other, otherReal) = other else { continue }
            problems.report(
                at: path.place,
                "\(path.value) is \(otherReal == real ? "also" : "inside \(other.value),") "
                    + "the path of the endpoint in \(other.place.file); endpoints lie side by side")
        }
    }

    private func checkDatabases(_ drafts: [EndpointDraft]) {
        var seen: [[String]: (endpoint: String, folder: String)] = [:]
        for draft in drafts {
            for folder in draft.folders {
                guard let database = folder.database else { continue }
                // The same text may name two databases only for two commands.
                let identity = database.value.identity(in: folder.path.value) + [draft.endpoint.sql]
                if let first = seen[identity] {
                    problems.report(
                        at: database.place,
                        "folder \"\(folder.name.value)\" has the database of \(first.endpoint)/\(first.folder); two "
                            + "folders cannot share one, its version is the folder's")
                } else {
                    seen[identity] = (draft.endpoint.name, folder.name.value)
                }
            }
        }
    }
}
