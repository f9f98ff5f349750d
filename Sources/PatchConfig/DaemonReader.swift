import PatchModel

/// Reads `patchd.yaml`.
struct DaemonReader {
    static let fileName = "patchd.yaml"
    private static let keys = ["workers", "settle", "signature", "retain", "approvers", "limits", "sources", "notify"]

    private static let limitKeys = [
        "entries", "unpacked", "manifest", "name", "depth", "rehearsal", "output", "rejected", "audit",
    ]

    let problems: Problems

    /// The settings, with the default where a key is missing or wrong, and where `approvers` stands.
    func read(_ node: YAMLNode) -> (DaemonSettings, approvers: SourceLocation?) {
        var settings = DaemonSettings()
        guard let section = Section(node, Self.fileName, keys: Self.keys, problems: problems) else {
            return (settings, nil)
        }
        section.read("workers", into: &settings.workers, Quantity.number(0...4096))
        section.read("settle", into: &settings.settle, Quantity.duration)
        section.read("signature", into: &settings.signature, oneOf: [.auto, .required, .off])
        section.read("retain", into: &settings.retain, Quantity.number(1...100_000))
        section.read("approvers", into: &settings.approvers, ScalarReader.account)
        section.read("notify", into: &settings.notify, ScalarReader.command)
        if let limits = section.section("limits", keys: Self.limitKeys) {
            limits.read("entries", into: &settings.limits.entries, Quantity.number(1...100_000_000))
            limits.read("unpacked", into: &settings.limits.unpacked, Quantity.size)
            limits.read("manifest", into: &settings.limits.manifest) { text throws(InvalidValue) in
                // It is read into memory.
                let size = try Quantity.size(text)
                guard size <= 1 << 30 else { throw InvalidValue("is at most 1GiB, not \"\(text)\"") }
                return Int(size)
            }
            // What Linux allows in one path.
            limits.read("name", into: &settings.limits.name, Quantity.number(1...4095))
            limits.read("depth", into: &settings.limits.depth, Quantity.number(1...2048))
            limits.read("output", into: &settings.limits.output) { text throws(InvalidValue) in
                // A worker holds the end of it in memory.
                let size = try Quantity.size(text)
                guard size <= 1 << 30 else { throw InvalidValue("is at most 1GiB, not \"\(text)\"") }
                return Int(size)
            }
            limits.read("rejected", into: &settings.limits.rejected, Quantity.size)
            limits.read("audit", into: &settings.limits.audit) { text throws(InvalidValue) in
                // Ten files, each of which has to hold what is under way beside each other.
                let size = try Quantity.size(text)
                guard size >= 10 << 20 else { throw InvalidValue("is at least 10MiB, not \"\(text)\"") }
                return size
            }
            limits.read("rehearsal", into: &settings.limits.rehearsal, Quantity.size)
        }
        settings.sources = sources(section)
        return (settings, section.place(of: "approvers"))
    }

    /// Indexes of updates: URLs, or maps with more about one.
    private func sources(_ section: Section) -> [UpdateSource] {
        var found: [UpdateSource] = []
        for node in section.items("sources", atMost: UpdateSource.most) ?? [] {
            guard let source = source(node, in: section) else { continue }
            if found.contains(where: { $0.url == source.url }) {
                problems.report(at: node.place, "\"\(source.url)\" stands in \"sources\" twice")
            } else {
                found.append(source)
            }
        }
        return found
    }

    private func source(_ node: YAMLNode, in section: Section) -> UpdateSource? {
        let what = "an item of \"sources\""
        guard case .map = node.content else {
            return section.value(of: node, what, ScalarReader.source).map { UpdateSource(url: $0.value) }
        }
        guard let own = Section(node, what, keys: ["url", "download"], problems: problems),
            let url = own.required("url", of: what, ScalarReader.source)
        else { return nil }
        var source = UpdateSource(url: url.value)
        own.read("download", into: &source.download, ScalarReader.flag)
        return source
    }
}
