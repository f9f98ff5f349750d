public import PatchModel

/// The differences between two plans for an endpoint, for people.
public enum PlanDifference {
    /// One line for each folder that differs, in the order of the newer plan; empty where both do the same.
    public static func lines(from old: EndpointPlan, to new: EndpointPlan) -> [String] {
        let gone = old.folders.filter { folder in !new.folders.contains { $0.folder == folder.folder } }
        let folders =
            new.folders.compactMap { folder in
                let before = old.folders.first { $0.folder == folder.folder }
                return before.map { line(from: $0, to: folder) } ?? "\(folder.folder) is new"
            } + gone.map { "\($0.folder) is gone" }
        return folders + (old.canary == new.canary ? [] : ["another canary"])
            + (old.sandbox == new.sandbox ? [] : ["another sandbox"])
    }

    private static func line(from old: FolderPlan, to new: FolderPlan) -> String? {
        var parts: [String] = []
        if old.state != new.state { parts.append("\(new.state.rawValue) instead of \(old.state.rawValue)") }
        if old.from != new.from || old.to != new.to { parts.append("\(versions(new)) instead of \(versions(old))") }
        if old.path != new.path { parts.append("at \(new.path) instead of \(old.path)") }
        if old.patches != new.patches { parts.append("other patches") }
        parts += steps(plain(old.steps), plain(new.steps))
        if parts.isEmpty, plain(old.downgrades) != plain(new.downgrades) { parts.append("another way back") }
        return parts.isEmpty ? nil : "\(new.folder): \(parts.joined(separator: ", "))"
    }

    private static func steps(_ old: [PlannedStep], _ new: [PlannedStep]) -> [String] {
        if old == new { return [] }
        let known = Set(old)
        let kept = Set(new)
        let more = new.filter { !known.contains($0) }
        let less = old.filter { !kept.contains($0) }
        if more.isEmpty, less.isEmpty { return ["the steps in another order"] }
        return [("now", more), ("no more", less)].filter { !$0.1.isEmpty }.map { word, steps in
            let shown = steps.prefix(3).map(\.title).joined(separator: ", ")
            return "\(word) \(shown)\(steps.count > 3 ? " and \(steps.count - 3) others" : "")"
        }
    }

    /// Without the statements read from scripts.
    private static func plain(_ steps: [PlannedStep]) -> [PlannedStep] {
        steps.map { step in
            var plain = step
            plain.statements = nil
            return plain
        }
    }

    private static func versions(_ plan: FolderPlan) -> String {
        "\(plan.from?.description ?? "an unknown version") to \(plan.to)"
    }
}
