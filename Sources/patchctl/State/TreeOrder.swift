import PatchModel

/// Parents before their children, siblings in the configuration's order.
struct TreeOrder {
    private let order: [String: Int]

    /// - Parameter endpoint: nil where it is not known; then by name.
    init(_ endpoint: Endpoint?) {
        let root = endpoint?.folders.first { $0.parent == nil }?.name
        let names = root.map { [$0] + (endpoint?.descendants(of: $0) ?? []) } ?? []
        order = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    func sorted(_ states: [FolderState]) -> [FolderState] {
        states.sorted { (order[$0.folder] ?? .max, $0.folder) < (order[$1.folder] ?? .max, $1.folder) }
    }
}
