/// Which folders of an endpoint lie above and below each other. Made once for a configuration: an endpoint may have thousands
/// of folders, and what is asked of each of them must not look at all.
struct Lineage: Hashable, Sendable {
    /// Those that take part in jobs, level by level.
    let active: [Folder]
    private let parents: [String: String]
    /// By folder, the places of its children in the configuration.
    private let children: [String: [Int]]
    private let names: [String]

    init(_ folders: [Folder]) {
        names = folders.map(\.name)
        parents = Dictionary(folders.compactMap { folder in folder.parent.map { (folder.name, $0) } }) { first, _ in
            first
        }
        var children: [String: [Int]] = [:]
        for (index, folder) in folders.enumerated() {
            if let parent = folder.parent { children[parent, default: []].append(index) }
        }
        self.children = children
        var active: [Folder] = []
        var level = folders.indices.filter { folders[$0].active && folders[$0].parent == nil }
        while !level.isEmpty {
            active += level.map { folders[$0] }
            level = level.flatMap { children[folders[$0].name] ?? [] }.filter { folders[$0].active }.sorted()
        }
        self.active = active
    }

    func descendants(of name: String) -> [String] {
        var found: [String] = []
        var level = children[name] ?? []
        while !level.isEmpty {
            found += level.map { names[$0] }
            level = level.flatMap { children[names[$0]] ?? [] }.sorted()
        }
        return found
    }

    func ancestors(of name: String) -> [String] {
        var found: [String] = []
        var current = name
        while let parent = parents[current], !found.contains(parent) {
            found.append(parent)
            current = parent
        }
        return found
    }
}
