import Glibc
import PatchFiles
import PatchModel

/// What patchd installed in a folder: `.patchd/brought/<number>.<job>`, a list for each job; of two that name a place, the
/// one with the higher number counts.
///
/// A line a place, `<what> <place>`: what is the SHA-256 that was brought last, `directory`, or `removed`. Paths have no
/// line feeds (`EntryName`). A job adds its own list and touches no other one, so 100,000 files of earlier jobs cost it
/// nothing, and a revert takes the one list away. Lists of forgotten jobs are merged (``compact(_:)``). They are read only
/// when they are needed.
///
/// The numbers go up with each list that is published here. They are the folder's own, because the daemon's job numbers
/// begin again when its state was lost.
final class InstalledFiles {
    /// The directory of the lists in `.patchd`, and the name of a list that a job has not published yet.
    static let name = "brought"

    /// What stands at a place.
    enum Entry: Hashable {
        case file(sha256: String)
        case directory
        case removed

        /// As in a list.
        var text: String {
            switch self {
            case .file(let sha256): sha256
            case .directory: "directory"
            case .removed: "removed"
            }
        }

        init?(_ text: some StringProtocol) {
            switch text {
            case "directory": self = .directory
            case "removed": self = .removed
            default:
                guard text.utf8.count == 64 else { return nil }
                self = .file(sha256: String(text))
            }
        }
    }

    private let folder: Directory
    private let order: WorkOrder
    private var loaded: [ExactText: Entry]?

    init(_ folder: borrowing Directory, order: WorkOrder) throws(FileError) {
        self.folder = try folder.duplicate()
        self.order = order
    }

    /// Everything that was brought and not removed since, by place.
    func entries() throws(FileError) -> [ExactText: Entry] {
        if let loaded { return loaded }
        var all: [ExactText: Entry] = [:]
        if let root = try WorkArea.root(existing: folder, order: order), try root.status(Self.name) != nil {
            let lists = try root.directory(Self.name)
            for list in try List.all(lists) { try Self.read(lists, list, into: &all) }
        }
        loaded = all.filter { $0.value != .removed }
        return loaded ?? [:]
    }

    /// What was brought to a place; nil for what never was.
    func entry(_ place: String) throws(FileError) -> Entry? { try entries()[ExactText(place)] }

    /// Takes over what a step brings: from here on it counts as brought. A removed file counts as never brought.
    func note(_ entry: Entry?, at place: String) throws(FileError) {
        _ = try entries()
        loaded?[ExactText(place)] = entry == .removed ? nil : entry
    }

    /// Behind the name of a new file that lands beside one that the admin changed.
    static let newSuffix = ".patchd-new"

    /// Whether a file that a step would replace stays because it is the admin's own: the step keeps changed files, and
    /// what is live is neither what was brought last nor what is to be brought. One that was never brought counts as
    /// changed; one that is not there does not.
    func isAdmins(_ step: PlannedStep, at place: String, _ live: FileStatus?) throws(FileError) -> Bool {
        guard step.kind == .file, step.keep, let live, live.kind != .directory else { return false }
        guard live.kind == .file else { return true }
        let sha256 = try folder.file(place).sha256()
        let entry = try entry(place)
        return sha256 != step.sha256 && entry != .file(sha256: sha256)
    }

    /// Looks for something in a directory that patchd did not bring, or that was changed since.
    ///
    /// - Parameter isComing: whether a step of the plan will have replaced what is at a place.
    /// - Returns: the first such place; nil when there is none.
    func foreign(in directory: String, isComing: (ExactText) -> Bool) throws(FileError) -> String? {
        let inside = try folder.directory(directory)
        let names = try inside.names()
        if try inside.count() != names.count { return directory + "/(a name that is no UTF-8)" }
        for name in names {
            let place = directory + "/" + name
            if isComing(ExactText(place)) { continue }
            let entry = try entry(place)
            switch (try inside.status(name)?.kind, entry) {
            case (.directory, .directory):
                if try inside.isMountPoint(name) { return place }
                if let found = try foreign(in: place, isComing: isComing) { return found }
            case (.file, .file(let sha256)):
                if inside.refusal(R_OK, name) != nil { return place }
                if try inside.file(name).sha256() != sha256 { return place }
            case (nil, _): break
            default: return place
            }
        }
        return nil
    }

    // MARK: Lists

    /// Writes a job's list beside its slots, where it says nothing yet; also an empty one, so that ``withdraw(_:job:)``
    /// finds this job's list and no other job's of that number. All that ``publish(_:job:)`` needs is there afterwards: a
    /// disk that fills up meanwhile does not keep it from being published.
    static func prepare(_ entries: [ExactText: Entry], in area: WorkArea) throws(FileError) {
        try area.slots.createFile(name).write(text(entries))
        _ = try area.root.ensureDirectory(name)
    }

    private static func text(_ entries: [ExactText: Entry]) -> [UInt8] {
        var text: [UInt8] = []
        for (place, entry) in entries.sorted(by: { $0.key < $1.key }) {
            text += Array(entry.text.utf8) + [UInt8(ascii: " ")] + place.bytes + [UInt8(ascii: "\n")]
        }
        return text
    }

    /// The name of a job's list.
    private struct List {
        /// Earlier builds took the job's turn for it.
        var number: Int
        var job: Int

        var name: String { "\(number).\(job)" }

        init(number: Int, job: Int) {
            self.number = number
            self.job = job
        }

        private init?(_ name: String) {
            let numbers = name.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
            guard numbers.count == 2, let number = numbers[0], let job = numbers[1] else { return nil }
            self.init(number: number, job: job)
        }

        /// The oldest first.
        static func all(_ lists: borrowing Directory) throws(FileError) -> [List] {
            try lists.names().compactMap { List($0) }.sorted { $0.number < $1.number }
        }
    }

    /// Makes a job's list count, durably. Done already: nothing happens.
    static func publish(_ area: WorkArea, job: Int) throws(FileError) {
        guard try area.slots.status(name) != nil else { return }
        let lists = try area.root.directory(name)
        let number = (try List.all(lists).last?.number ?? 0) + 1
        try area.slots.rename(name, to: lists, List(number: number, job: job).name)
        try lists.sync()
        try area.slots.sync()
    }

    /// Makes a job's list count no more, durably. Done already, or never published: nothing happens.
    static func withdraw(_ area: WorkArea, job: Int) throws(FileError) {
        guard try area.slots.status(name) == nil, try area.root.status(name) != nil else { return }
        let lists = try area.root.directory(name)
        // An older one of the same number is another job's, from before the daemon's state was lost.
        guard let list = try List.all(lists).last(where: { $0.job == job }) else { return }
        try lists.rename(list.name, to: area.slots, name)
        try lists.sync()
        try area.slots.sync()
    }

    /// Merges the oldest lists into one where none of their jobs can be undone any more. A list is rewritten only when
    /// those behind it have come to half its size, so that each line is rewritten a few times in all.
    static func compact(_ root: borrowing Directory) throws(FileError) {
        guard try root.status(name) != nil else { return }
        let lists = try root.directory(name)
        var old: [List] = []
        for list in try List.all(lists) {
            if try root.status("jobs/\(list.job)") != nil { break }
            old.append(list)
        }
        guard old.count > 1, let last = old.last else { return }
        var sizes: [Int64] = []
        for list in old { sizes.append(try lists.status(list.name)?.size ?? 0) }
        guard sizes.dropFirst().reduce(0, +) * 2 >= sizes[0] else { return }
        var all: [ExactText: Entry] = [:]
        for list in old { try read(lists, list, into: &all) }
        try lists.replaceFile(last.name, with: text(all))
        for list in old.dropLast() { try lists.remove(list.name) }
        try lists.sync()
    }

    private static func read(
        _ lists: borrowing Directory, _ list: List, into all: inout [ExactText: Entry]
    ) throws(FileError) {
        let bytes = try lists.readFile(list.name, limit: .max) ?? []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let space = line.firstIndex(of: UInt8(ascii: " ")),
                let entry = Entry(String(decoding: line[..<space], as: UTF8.self))
            else {
                throw FileError(
                    "use (a line is damaged; without this file, what it lists counts as the admin's own)",
                    lists.path + "/\(list.name)", number: EBADMSG)
            }
            all[ExactText(bytes: line[(space + 1)...])] = entry
        }
    }
}
