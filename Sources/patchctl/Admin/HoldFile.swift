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

    /// Replaces one's own hold, and a file of somebody whose hold would not count; another's hold is left.
    func write(_ text: String, _ rights: HoldRights) throws {
        try files { () throws(FileError) in
            let holds = try Directory.open(directory)
            let temporary = ".\(name).\(UInt64.random(in: .min ... .max)).tmp"
            do throws(FileError) {
                let file = try holds.createFile(temporary, mode: 0o644)
                try file.write(Array(text.utf8))
                try file.sync()
                // In a sticky directory only root can rename over what is another's.
                if let owner = try holds.status(name)?.uid {
                    guard owner == geteuid() || !rights.mayHold(target, owner) else {
                        throw FileError("replace", directory + "/" + name, number: EEXIST)
                    }
                    try holds.rename(temporary, to: holds, name)
                } else {
                    try holds.renameNew(temporary, to: holds, name)
                }
                try holds.sync()
            } catch {
                try? holds.remove(temporary)
                throw error
            }
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
