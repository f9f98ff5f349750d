import PatchFiles
import PatchModel

extension StateDirectory {
    private static let index = "jobs/index.json"

    /// The jobs that have to be known. Where the index is missing or damaged it is rebuilt from the directories of the
    /// jobs, and all of them count as live.
    ///
    /// - Parameter onDamage: called for an index that cannot be read.
    public func jobIndex(onDamage: (StoreError) -> Void = { _ in }) throws(StoreError) -> JobIndex {
        var index: JobIndex?
        do throws(StoreError) { index = try read(JobIndex.self, Self.index) } catch {
            if error.isPermission { throw error }
            onDamage(error)
        }
        var found: JobIndex
        if let index { found = index } else { found = try rebuiltIndex() }
        // The newest one, and what an older patchd added, which knows no index.
        while try exists("jobs/\(found.next)") {
            found.live.insert(found.next)
            found.next += 1
        }
        // A number that a folder has is never given again, also when its job was moved away.
        found.next = max(
            found.next, try highestJob { folder, endpoint in try? self.folder(folder, of: endpoint)?.job } + 1)
        return found
    }

    /// Replaces the index; one that equals what is there is left alone.
    public func write(_ index: JobIndex) throws(StoreError) {
        if let known = try? read(JobIndex.self, Self.index), known == index { return }
        try write(index, Self.index, mode: 0o640, isShared: true)
    }

    /// Also above every job that is in a history: what a folder keeps of a job has its number.
    private func rebuiltIndex() throws(StoreError) -> JobIndex {
        let names = try files { () throws(FileError) in try Directory.open(path + "/jobs").names() }
        let live = Set(names.compactMap { Int($0) })
        let recorded = try highestJob { folder, endpoint in
            (try? self.history(folder, of: endpoint))?.map(\.job).max()
        }
        return JobIndex(next: max(live.max() ?? 0, recorded) + 1, live: live)
    }

    /// - Parameter job: a folder's newest; nil where it has none, or what says so is damaged, of which others tell.
    private func highestJob(_ job: (_ folder: String, _ endpoint: String) -> Int?) throws(StoreError) -> Int {
        var highest = 0
        for endpoint in try endpoints() {
            let names = try files { () throws(FileError) in
                try Directory.open(path + "/endpoints/\(endpoint)").names()
            }
            for name in names where name.hasSuffix(".json") && !name.hasPrefix(".") {
                highest = max(highest, job(String(name.dropLast(5)), endpoint) ?? 0)
            }
        }
        return highest
    }
}
