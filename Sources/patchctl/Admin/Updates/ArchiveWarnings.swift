import PatchModel

/// What is odd about an archive that is taken all the same: an admin has to see it where the update is planned, and not only
/// its vendor in `lint`.
struct ArchiveWarnings {
    let texts: [String]

    init(_ update: CheckedUpdate, on endpoint: Endpoint) {
        let findings = update.findings.map { finding in
            let place = finding.place.isEmpty ? "" : "\(finding.place): "
            return "\(finding.code): \(place)\(finding.message)"
        }
        let modules = Set(endpoint.folders.flatMap(\.modules))
        let unknown = update.manifest.patches.filter { $0.type != Patch.everyFolder && !modules.contains($0.type) }
        texts =
            findings
            + unknown.map { patch in
                "typeUnknown: patch \(patch.name) is for module \(patch.type), which no folder of \(endpoint.name) has\(Suggestion.hint(for: patch.type, in: modules.sorted() + [Patch.everyFolder]))"
            }
    }
}

extension EndpointPlan {
    /// Adds warnings that it does not have.
    mutating func add(_ texts: [String]) { warnings += texts.filter { !warnings.contains($0) } }
}

extension PlanReport {
    /// Whether there is nothing to bring to any folder.
    var isUpToDate: Bool {
        endpoints.allSatisfy { endpoint in
            endpoint.folders.allSatisfy { $0.state == .upToDate || $0.state == .excluded }
        }
    }
}
