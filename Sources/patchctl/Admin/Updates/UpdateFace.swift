import PatchModel
import PatchStore

/// What an update says of itself, and which folders get which of its patches: values in, lines out.
struct UpdateFace {
    let manifest: Manifest
    /// What was asked for; nil where nobody has asked yet.
    var options: UpdateOptions?
    /// By endpoint, its folders as they are planned; none before a plan.
    var plans: [(endpoint: String, folders: [FolderPlan])] = []

    func lines(within width: Int?) -> [Line] {
        let heads = [
            "\(manifest.name) \(manifest.version)", manifest.description,
            "from \(manifest.dependency) to \(manifest.version)",
        ]
        let rows = manifest.patches.map { patch in
            Table.Row(
                [patch.name, patch.description, patch.mandatory ? "yes" : "no", isApplied(patch) ? "yes" : "no"]
                    + [plans.isEmpty ? aim(patch) : folders(patch)], Stream.Colour.none)
        }
        let head = ["PATCH", "DESCRIPTION", "MANDATORY", options == nil ? "DEFAULT" : "APPLIED"]
        return heads.filter { !$0.isEmpty }.flatMap { Folding.lines(Printable.cell($0), within: width) }
            .map { Line(text: $0) } + [Line(text: "")]
            + Table(head: head + [plans.isEmpty ? "FOR" : "FOLDERS"], rows).lines(within: width)
    }

    private func isApplied(_ patch: Patch) -> Bool {
        patch.mandatory || options?.patches[patch.name] ?? patch.isOnByDefault
    }

    private func aim(_ patch: Patch) -> String {
        let folders = patch.type == Patch.everyFolder ? "every folder" : "module \(patch.type)"
        return patch.target == .supervisor ? "the root folder" : folders
    }

    /// `PAIE, SEED`, `all 5`; with the endpoint where there are several.
    private func folders(_ patch: Patch) -> String {
        let texts = plans.map { plan in
            let all = plan.folders.filter { $0.state != .excluded }
            let names = all.filter { $0.patches[patch.name] == true }.map(\.folder)
            let text =
                names.isEmpty
                ? "none"
                : names.count > 2 && names.count == all.count ? "all \(names.count)" : names.joined(separator: ", ")
            return plans.count > 1 ? "\(plan.endpoint): \(text)" : text
        }
        return texts.joined(separator: "; ")
    }
}

extension UpdateFace {
    /// A job's; nil where its archive is no longer kept, or this user may not read it.
    init?(of job: Job, in directories: Directories) {
        guard let manifest = (try? directories.state.manifest(ofArchive: job.sha256)) ?? nil else { return nil }
        let plan = (try? directories.state.overview(job: job.job)) ?? nil
        self.init(
            manifest: manifest, options: job.options,
            plans: plan?.endpoints.map { ($0.endpoint, $0.folders.map(\.plan)) } ?? [])
    }
}
