import Glibc
import PatchFiles
import PatchJSON
import PatchModel

extension StateDirectory {
    /// What a folder is now; nil before its endpoint was first loaded.
    public func folder(_ folder: String, of endpoint: String) throws(StoreError) -> FolderState? {
        try read(FolderState.self, "endpoints/\(endpoint)/\(folder).json")
    }

    /// The endpoints that have state.
    public func endpoints() throws(StoreError) -> [String] {
        guard try exists("endpoints") else { return [] }
        return try files { () throws(FileError) in try Directory.open(path + "/endpoints").names() }
    }

    /// The states of all folders of an endpoint, by name.
    public func folders(of endpoint: String) throws(StoreError) -> [String: FolderState] {
        guard try exists("endpoints/\(endpoint)") else { return [:] }
        var found: [String: FolderState] = [:]
        for name in try files({ () throws(FileError) in try Directory.open(path + "/endpoints/\(endpoint)").names() }) {
            guard name.hasSuffix(".json"), !name.hasPrefix(".") else { continue }
            let folder = String(name.dropLast(5))
            found[folder] = try self.folder(folder, of: endpoint)
        }
        return found
    }

    /// Replaces a folder's state; one that equals what is there is left alone.
    public func write(_ state: FolderState) throws(StoreError) {
        if try folder(state.folder, of: state.endpoint) == state { return }
        try files { () throws(FileError) in
            _ = try Directory.open(path + "/endpoints").ensureDirectory(state.endpoint, mode: 0o755)
        }
        try write(state, "endpoints/\(state.endpoint)/\(state.folder).json", mode: 0o644)
    }

    /// Replaces the states of folders of one endpoint. A power cut leaves of each the old one or the new one.
    public func write(_ states: [FolderState], of endpoint: String) throws(StoreError) {
        if states.isEmpty { return }
        var pages: [(name: String, bytes: [UInt8])] = []
        for state in states {
            do { pages.append(("\(state.folder).json", try JSONText.page(state))) } catch {
                throw StoreError("cannot write the state of \(endpoint)/\(state.folder): \(error)")
            }
        }
        try files { () throws(FileError) in
            let own = try Directory.open(path + "/endpoints").ensureDirectory(endpoint, mode: 0o755)
            try own.replaceFiles(pages, mode: 0o644)
        }
    }

    /// Records in a folder's history how a job ended there: a line a job. One that failed and went on, or was put back,
    /// has its last end; what the daemon recorded before it was killed is not recorded again.
    public func record(_ entry: HistoryEntry, folder: String, of endpoint: String) throws(StoreError) {
        let name = "\(folder).history.jsonl"
        if let last = try lastEntry(folder, of: endpoint), last.job == entry.job, last.operation == entry.operation {
            if last.state == entry.state { return }
            let earlier = try history(folder, of: endpoint).dropLast()
            let lines = try (earlier + [entry]).map { (entry) throws(StoreError) in try self.line(entry, name) }
            return try files { () throws(FileError) in
                try Directory.open(path + "/endpoints/\(endpoint)").replaceFile(
                    name, with: Array(lines.joined()), mode: 0o644)
            }
        }
        let line = try self.line(entry, name)
        try files { () throws(FileError) in
            let file = try Directory.open(path + "/endpoints/\(endpoint)").appendingFile(name, mode: 0o644)
            // What a power cut left of a line must neither swallow this one nor stay between whole ones.
            let size = try file.status().size
            let tail = try Self.tail(of: file)
            let whole = tail.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            if whole < tail.count { try file.truncate(to: size - Int64(tail.count - whole)) }
            try file.write(line)
            try file.sync()
        }
    }

    /// More than a few lines: what was recorded long ago is not read to record something new.
    private static let historyTail: Int64 = 1 << 16

    private static func tail(of file: borrowing File) throws(FileError) -> [UInt8] {
        let size = try file.status().size
        let start = max(0, size - historyTail)
        return try file.read(at: start, limit: Int(size - start))
    }

    /// What was recorded last.
    private func lastEntry(_ folder: String, of endpoint: String) throws(StoreError) -> HistoryEntry? {
        let place = "endpoints/\(endpoint)/\(folder).history.jsonl"
        guard try exists(place) else { return nil }
        let tail = try files { () throws(FileError) in try Self.tail(of: Directory.open(path).file(place)) }
        guard let end = tail.lastIndex(of: UInt8(ascii: "\n")) else { return nil }
        let start = tail[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        // A line as long as the tail, or a damaged one: the whole file says what is wrong with it.
        guard let last = try? JSONText.read(HistoryEntry.self, tail[start..<end]) else {
            return try history(folder, of: endpoint).last
        }
        return last
    }

    private func line(_ entry: HistoryEntry, _ name: String) throws(StoreError) -> [UInt8] {
        do {
            return try JSONText.line(entry) + [UInt8(ascii: "\n")]
        } catch {
            throw StoreError("cannot write \(name): \(error)")
        }
    }

    /// A folder's history, oldest first. What a power cut left of the last line is left out: its job is not over.
    ///
    /// - Throws: when another line is damaged: what was done there is not to be guessed at.
    public func history(_ folder: String, of endpoint: String) throws(StoreError) -> [HistoryEntry] {
        let place = "endpoints/\(endpoint)/\(folder).history.jsonl"
        guard
            let bytes = try files({ () throws(FileError) in
                try Directory.open(path).readFile(place, limit: .max)
            })
        else { return [] }
        let (entries, whole) = Self.lines(bytes)
        guard !bytes[whole...].dropLast().contains(UInt8(ascii: "\n")) else {
            throw StoreError(
                "cannot read \(path)/\(place): line \(entries.count + 1) is damaged; correct it, or put the file back from a backup"
            )
        }
        return entries
    }

    /// The lines that can be read from the start on, and how many bytes they are.
    private static func lines(_ bytes: [UInt8]) -> (entries: [HistoryEntry], whole: Int) {
        var entries: [HistoryEntry] = []
        var whole = 0
        while let end = bytes[whole...].firstIndex(of: UInt8(ascii: "\n")) {
            guard let entry = try? JSONText.read(HistoryEntry.self, bytes[whole..<end]) else { break }
            entries.append(entry)
            whole = end + 1
        }
        return (entries, whole)
    }
}
