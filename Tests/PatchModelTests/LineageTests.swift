import Testing

@testable import PatchModel

@Suite struct `The folders of an endpoint` {
    /// In no order of the tree: a child may stand before its parent.
    private func endpoint(_ folders: [(String, String?)], inactive: Set<String> = []) -> Endpoint {
        Endpoint(
            name: "payroll", path: "/srv",
            folders: folders.map { name, parent in
                Folder(name: name, parent: parent, path: "/srv/\(name)", active: !inactive.contains(name))
            })
    }

    private let tree: [(String, String?)] = [
        ("A1x", "A1"), ("ROOT", nil), ("B", "ROOT"), ("A1", "A"), ("A", "ROOT"), ("B1", "B"), ("A2", "A"),
    ]

    @Test func `stand level by level, those of a level as in the file`() {
        #expect(endpoint(tree).activeFolders.map(\.name) == ["ROOT", "B", "A", "A1", "B1", "A2", "A1x"])
        #expect(endpoint(tree).descendants(of: "ROOT") == ["B", "A", "A1", "B1", "A2", "A1x"])
        #expect(
            endpoint(tree).descendants(of: "A") == ["A1", "A2", "A1x"] && endpoint(tree).descendants(of: "B1") == [])
        #expect(
            endpoint(tree).ancestors(of: "A1x") == ["A1", "A", "ROOT"] && endpoint(tree).ancestors(of: "ROOT") == [])
        #expect(endpoint(tree).ancestors(of: "NONE") == [] && endpoint(tree).descendants(of: "NONE") == [])
    }

    @Test func `take no part in jobs below one that is inactive, and have it above them all the same`() {
        let endpoint = endpoint(tree, inactive: ["A"])
        #expect(endpoint.activeFolders.map(\.name) == ["ROOT", "B", "B1"])
        #expect(endpoint.ancestors(of: "A1x") == ["A1", "A", "ROOT"])
        #expect(endpoint.descendants(of: "A") == ["A1", "A2", "A1x"])
    }

    @Test func `are known anew when they change`() {
        var endpoint = endpoint(tree)
        endpoint.folders.removeAll { $0.name == "A1" }
        #expect(endpoint.activeFolders.map(\.name) == ["ROOT", "B", "A", "B1", "A2"])
        endpoint.folders[0].parent = "A2"
        #expect(endpoint.descendants(of: "A") == ["A2", "A1x"])
    }

    @Test func `with a parent that is not there, or in a circle, take part in nothing`() {
        let endpoint = endpoint([("ROOT", nil), ("A", "B"), ("B", "A"), ("C", "GONE")])
        #expect(endpoint.activeFolders.map(\.name) == ["ROOT"])
        #expect(endpoint.ancestors(of: "A") == ["B", "A"])
    }
}
