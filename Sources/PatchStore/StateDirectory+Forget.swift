import PatchFiles
import PatchModel

extension StateDirectory {
    /// Removes what is remembered of a folder: state and history. None is no error.
    public func forget(_ folder: String, of endpoint: String) throws(StoreError) {
        try files { () throws(FileError) in
            let top = try Directory.open(path)
            guard try top.status("endpoints/\(endpoint)") != nil else { return }
            let own = try top.directory("endpoints/\(endpoint)")
            for name in ["\(folder).json", "\(folder).history.jsonl"] { try own.remove(name) }
            try own.sync()
        }
    }

    /// Removes what is remembered of an endpoint: all its folders, and which configuration was in effect.
    public func forget(_ endpoint: String) throws(StoreError) {
        try files { () throws(FileError) in
            let top = try Directory.open(path)
            try top.directory("endpoints").removeTree(endpoint)
            if try top.status("configuration") != nil { try top.directory("configuration").remove("\(endpoint).json") }
            try top.sync()
        }
    }
}
