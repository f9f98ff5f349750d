import PatchModel
import PatchStore
import Testing

@Suite struct `The states of an endpoint's folders` {
    let store: Store
    private var state: StateDirectory { store.state }

    init() throws { store = try Store() }

    /// More than those that are waited for one by one, too.
    @Test(arguments: [0, 1, 3, 40]) func `are replaced together, and nothing else lies there afterwards`(
        count: Int
    ) throws {
        func states(_ version: String) -> [FolderState] {
            (0..<count).map { number in
                FolderState(
                    endpoint: "payroll", folder: "F\(number)", version: Version(version), path: "/srv",
                    owner: "", at: .now)
            }
        }
        try state.write(states("8.0.1"), of: "payroll")
        let new = states("8.0.2")
        try state.write(new, of: "payroll")
        #expect(
            try state.folders(of: "payroll").values.sorted { $0.folder < $1.folder }
                == new.sorted { $0.folder < $1.folder })
        if count > 0 { #expect(try store.names("endpoints/payroll").count == count) }
    }
}
