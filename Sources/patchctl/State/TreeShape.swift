/// Folders as a tree: parents before children, each with what is drawn before its name. One whose parent is not among them
/// stands at the top.
struct TreeShape {
    struct Row {
        let name: String
        /// `│  └─ `; empty at the top.
        let lead: String
        /// What stands there in the lines below it.
        let below: String
    }

    private(set) var rows: [Row] = []

    /// - Parameter folders: siblings in their order.
    init(_ folders: [(name: String, parent: String?)]) {
        let names = Set(folders.map(\.name))
        var children: [String: [String]] = [:]
        var tops: [String] = []
        for (name, parent) in folders {
            if let parent, names.contains(parent) {
                children[parent, default: []].append(name)
            } else {
                tops.append(name)
            }
        }
        for top in tops { add(top, lead: "", below: "", &children) }
    }

    private mutating func add(_ name: String, lead: String, below: String, _ children: inout [String: [String]]) {
        let own = children.removeValue(forKey: name) ?? []
        rows.append(Row(name: name, lead: lead, below: below + (own.isEmpty ? "   " : "│  ")))
        for (index, child) in own.enumerated() {
            let isLast = index == own.count - 1
            add(child, lead: below + (isLast ? "└─ " : "├─ "), below: below + (isLast ? "   " : "│  "), &children)
        }
    }
}
