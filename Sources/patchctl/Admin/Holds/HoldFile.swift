import Glibc
import PatchFiles
import PatchModel
import PatchStore

/// `holds/ENDPOINT.lock`, `holds/ENDPOINT.FOLDER.lock` or `holds/ALL.lock`. The directory is everybody's (1777), so what
/// lies there may be anybody's, and anything.
struct HoldFile {
    /// As the user said it.
    let words: String
    let target: PatchModel.Hold.Target
    private let endpoint: String?
    private let folder: String?
    private let directory: String

    private var name: String { target.fileName }

    /// - Throws: ``Failure`` with wrong usage when that cannot be a target.
    init(_ text: String, in directories: Directories) throws {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), parts.allSatisfy(PatchModel.Hold.Target.isName) else {
            throw Failure(.usage, "\"\(text)\" is no target; a hold is on ENDPOINT, ENDPOINT/FOLDER or ALL")
        }
        // No endpoint has this name, in whatever case.
        if parts[0].lowercased() == "all", text != "ALL" {
            throw Failure(.usage, "\"\(text)\" is no target; did you mean \"ALL\"?")
        }
        words = text == "ALL" ? "everything" : text
        endpoint = text == "ALL" ? nil : parts[0]
        folder = parts.count == 2 ? parts[1] : nil
        target =
            switch (endpoint, folder) {
            case (let endpoint?, let folder?): .folder(endpoint: endpoint, folder: folder)
            case (let endpoint?, nil): .endpoint(endpoint)
            default: .all
            }
        directory = directories.spoolDir + "/holds"
    }

    /// The folders that it is about. Before patchd's first start there are none.
    ///
    /// - Throws: ``Failure`` for a target that patchd does not know.
    func folders(_ directories: Directories) throws -> [ApplicationFolder] {
        guard try directories.hasState else { return [] }
        guard let endpoint else { return try Target(nil).folders(directories).map(ApplicationFolder.init) }
        if let folder { return [try ApplicationFolder("\(endpoint)/\(folder)", in: directories)] }
        let found = try Target(endpoint).folders(directories)
        guard found.allSatisfy({ $0.endpoint == endpoint }) else {
            let whole = found.map { "\($0.endpoint)/\($0.folder)" }
            throw Failure(
                "there is no endpoint \"\(endpoint)\"; did you mean \"\(whole.joined(separator: "\" or \""))\"?")
        }
        return found.map(ApplicationFolder.init)
    }

    /// Seconds that the daemon gets to move aside what somebody has put at this name who may not hold.
    private static let patience = 10.0

    /// Replaces one's own hold, and a file of somebody whose hold would not count; another's hold is left.
    func write(_ text: String, _ rights: HoldRights) throws {
        try files { () throws(FileError) in
            let holds = try Directory.open(directory)
            let temporary = ".\(name).\(UInt64.random(in: .min ... .max)).tmp"
            do throws(FileError) {
                let file = try holds.createFile(temporary, mode: 0o644)
                try file.write(Array(text.utf8))
                try file.sync()
                try place(temporary, in: holds) { rights.mayHold(target, $0) }
                try holds.sync()
            } catch {
                try? holds.remove(temporary)
                throw error
            }
        }
    }

    private func place(
        _ temporary: String, in holds: borrowing Directory, _ mayHold: (UInt32) -> Bool
    ) throws(FileError) {
        let watch = try? DirectoryWatch([directory])
        let end = MonotonicClock.seconds + Self.patience
        while true {
            guard let found = try holds.status(name) else {
                do throws(FileError) { return try holds.renameNew(temporary, to: holds, name) } catch {
                    // Another came first.
                    guard error.number == EEXIST else { throw error }
                    continue
                }
            }
            // In a sticky directory nobody else's is renamed over, except by root.
            if found.uid == geteuid() { return try holds.rename(temporary, to: holds, name) }
            let isOver = MonotonicClock.seconds >= end
            if isOver || mayHold(found.uid) { throw FileError("replace", directory + "/" + name, number: EEXIST) }
            if geteuid() == 0 {
                try holds.rename(name, to: holds, ".refused-\(name).\(UInt64.random(in: .min ... .max))")
                continue
            }
            // The daemon moves it aside.
            watch?.wait(seconds: 0.2)
            if watch == nil { MonotonicClock.wait(seconds: 0.2) }
        }
    }

    /// - Returns: false when there was none.
    func remove() throws -> Bool {
        try files { () throws(FileError) in
            let holds = try Directory.open(directory)
            guard try holds.status(name) != nil else { return false }
            try holds.remove(name)
            try holds.sync()
            return true
        }
    }

    /// The hold of this user that is there now; nil for none, and for what is no plain file.
    func current() -> PatchModel.Hold? {
        guard let holds = try? Directory.open(directory), let status = try? holds.status(name), status.kind == .file,
            status.uid == geteuid(), let file = try? holds.file(name), let bytes = try? file.read(limit: 4096)
        else { return nil }
        return PatchModel.Hold(target, text: String(decoding: bytes, as: UTF8.self))
    }

    /// Whether a user's hold counts, as far as can be seen from here.
    func mayHold(_ uid: UInt32, _ folders: [ApplicationFolder], _ directories: Directories) -> Bool {
        if uid == 0 { return true }
        let group = (try? directories.configuration())?.daemon.approvers ?? "patchd"
        if let gid = UserIdentity.group(named: group), UserIdentity(uid: uid)?.groups.contains(gid) == true {
            return true
        }
        return endpoint != nil && folders.contains { $0.state.owner == UserName.of(uid) }
    }

    private func files<Value>(_ body: () throws(FileError) -> Value) throws(Failure) -> Value {
        do throws(FileError) {
            return try body()
        } catch {
            let place = directory + "/" + name
            if [EEXIST, EPERM, EACCES].contains(error.number), let holds = try? Directory.open(directory),
                let owner = (try? holds.status(name))?.uid, owner != geteuid()
            {
                let who = owner == 0 ? "root" : "\(UserName.of(owner)) or root"
                throw Failure(
                    .refused, "the hold on \(words) is \(UserName.of(owner))'s (\"\(place)\"); \(who) can take it away")
            }
            throw Failure(
                "cannot hold \(words): \(error)\(error.number == ENOENT ? "; name the spool with --spool-dir" : "")")
        }
    }
}
