/// A folder of the model.
struct ModelFolder: Hashable {
    /// What a job did in it that can be taken back.
    struct Undo: Hashable {
        struct Slot: Hashable {
            var place: String
            var brought: TestUpdate.File
            var original: TestUpdate.File?
        }

        var update: TestUpdate
        /// Whether the script was started.
        var ran: Bool
        /// Whether the script in SQL was run: it comes last, so that it ran where everything did.
        var hasRow = false
        var madeDirectory: Bool
        /// In the order in which they were switched.
        var slots: [Slot]
        /// Whether the originals and downgrades are kept.
        var isKept = true
    }

    /// A job that is in effect.
    struct Layer: Hashable {
        var job: Int
        var from: Int
    }

    struct Brought: Hashable {
        var job: Int
        var places: [String: String]
    }

    /// What a folder's history says of a job.
    struct HistoryLine: Hashable {
        var job: Int
        var operation: String
        var state: String
        var from: Int
        var to: Int
    }

    var name: String
    var parent: String?
    var version: Int
    var files: [String: TestUpdate.File] = [:]
    var directories: Set<String> = []
    /// What the scripts wrote, the same line in a row once: a script that is cut off runs again from its start.
    var log: [String] = []
    var layers: [Layer] = []
    /// The job in whose middle the folder is, if it failed.
    var half: Layer?
    var undo: [Int: Undo] = [:]
    /// What each job brought, by place; the last one's word counts.
    var brought: [Brought] = []
    var history: [HistoryLine] = []
    /// What the scripts in SQL left in the folder's database, each version's row as often as it was inserted; nil where
    /// the folder has none.
    var rows: [Int]?

    init(name: String, parent: String?, version: Int) {
        self.name = name
        self.parent = parent
        self.version = version
        files["a.dat"] = TestUpdate.File(text: "a\n", mode: 0o644)
    }

    /// The jobs that can be rolled back, oldest first.
    var effective: [Layer] { layers + [half].compactMap { $0 } }

    mutating func note(_ line: HistoryLine) {
        // A line a job: how it ended at last.
        if let last = history.last, last.job == line.job, last.operation == line.operation { history.removeLast() }
        history.append(line)
    }

    private mutating func write(_ line: String) { if log.last != line { log.append(line) } }

    // MARK: There and back

    /// Files that are there already, in content and mode.
    func equal(_ update: TestUpdate) -> Set<String> { Set(update.files.filter { files[$0.key] == $0.value }.keys) }

    /// Switches the files; `equal` ones are not written.
    mutating func switchFiles(_ update: TestUpdate, job: Int, equal: Set<String>) {
        var undo = Undo(
            update: update, ran: false, madeDirectory: directories.insert(TestUpdate.directory).inserted, slots: [])
        for (place, file) in update.files.sorted(by: { $0.key < $1.key }) where !equal.contains(place) {
            undo.slots.append(.init(place: place, brought: file, original: files[place]))
            files[place] = file
        }
        self.undo[job] = undo
    }

    /// Runs the script.
    ///
    /// - Returns: whether it succeeded.
    mutating func runScript(_ update: TestUpdate, job: Int, fails: Bool) -> Bool {
        if update.script == .none { return true }
        undo[job]?.ran = true
        write("up \(update.version)")
        return !fails
    }

    /// The job is through.
    mutating func commit(_ update: TestUpdate, job: Int) {
        layers.append(Layer(job: job, from: version))
        half = nil
        version = update.version
        rows?.append(version)
        undo[job]?.hasRow = true
        brought.append(Brought(job: job, places: update.files.mapValues(\.text)))
    }

    /// Why a job cannot be taken back here.
    func isIrreversible(_ job: Int) -> Bool {
        guard let undo = undo[job] else { return true }
        return !undo.isKept || undo.ran && undo.update.script == .oneWay
    }

    /// Takes a job back; the version is the caller's.
    mutating func takeBack(_ job: Int) {
        guard let undo = undo[job] else { return }
        if undo.hasRow { rows?.removeAll { $0 == undo.update.version } }
        if undo.ran, undo.update.script == .withDowngrade { write("down \(undo.update.version)") }
        for slot in undo.slots.reversed() {
            let live = files[slot.place]
            files[slot.place] = slot.original
            if slot.original != nil, slot.place.hasPrefix("d/") { directories.insert("d") }
            if let live, live.text != slot.brought.text {
                var number = 0
                var name = slot.place + ".patchd-old"
                while files[name] != nil {
                    number += 1
                    name = slot.place + ".patchd-old.\(number)"
                }
                files[name] = live
            }
        }
        if undo.madeDirectory, !files.keys.contains(where: { $0.hasPrefix("d/") }) { directories.remove("d") }
        self.undo[job] = nil
        brought.removeAll { $0.job == job }
        layers.removeAll { $0.job == job }
        if half?.job == job { half = nil }
    }

    /// What `verify` says: changed and missing.
    var verified: (changed: [String], missing: [String]) {
        var all: [String: String] = [:]
        for job in brought { all.merge(job.places) { $1 } }
        return (
            all.filter { place, text in files[place].map { $0.text != text } ?? false }.keys.sorted(),
            all.keys.filter { files[$0] == nil }.sorted()
        )
    }
}
