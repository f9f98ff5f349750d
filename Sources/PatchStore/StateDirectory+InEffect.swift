import PatchFiles
import PatchModel

/// The configuration in effect: while a folder is half done, what its endpoint's file said before counts, also after a restart.
extension StateDirectory {
    /// Records what is in effect for an endpoint.
    public func write(inEffect endpoint: Endpoint) throws(StoreError) {
        if try inEffect(endpoint.name) == endpoint { return }
        try files { () throws(FileError) in
            _ = try Directory.open(path).ensureDirectory("configuration", mode: 0o700)
        }
        // Addresses of databases may hold more than everybody is to see.
        try write(endpoint, "configuration/\(endpoint.name).json", mode: 0o600)
    }

    /// What was in effect for an endpoint last; nil where nothing was recorded.
    public func inEffect(_ endpoint: String) throws(StoreError) -> Endpoint? {
        try read(Endpoint.self, "configuration/\(endpoint).json")
    }

    /// The endpoints that have been in effect and were not forgotten.
    public func endpointsInEffect() throws(StoreError) -> [String] {
        guard try exists("configuration") else { return [] }
        return try files { () throws(FileError) in try Directory.open(path + "/configuration").names() }
            .filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.map { String($0.dropLast(5)) }.sorted()
    }

    /// Gives a folder's state and history another name, after the folder was renamed. Safe to repeat after a crash: the state
    /// under the new name comes first, and what lies under the old one is removed last.
    public func rename(_ old: FolderState, to new: FolderState) throws(StoreError) {
        let place = "endpoints/\(old.endpoint)"
        if let history = try files({ () throws(FileError) in
            try Directory.open(path + "/" + place).readFile("\(old.folder).history.jsonl", limit: 1 << 30)
        }) {
            try files { () throws(FileError) in
                try Directory.open(path + "/" + place).replaceFile(
                    "\(new.folder).history.jsonl", with: history, mode: 0o644)
            }
        }
        try write(new)
        try files { () throws(FileError) in
            let directory = try Directory.open(path + "/" + place)
            try directory.remove("\(old.folder).json")
            try directory.remove("\(old.folder).history.jsonl")
            try directory.sync()
        }
    }
}
