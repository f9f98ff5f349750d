import Glibc
import PatchFiles
import PatchModel

/// `STATE/sources/`, the fetching user's own: the last index of each source, what was handed over, and what is being fetched.
///
///     <key>.index       the last index; the key is made of the source's URL
///     handed-over       SHA-256 sums of archives that were dropped, the last ones
///     <sha256>.part     an archive as far as it has come
///     <sha256>.ranges/  parts of one, by where they begin
///     lock              flock of the one that fetches
final class SourceStore {
    /// Bytes of the list of what was handed over: the last ten thousand.
    private static let remembered = 10_000 * 65

    /// Where all of it is.
    let directory: Directory
    /// Whether this user may keep something there.
    let mayWrite: Bool
    /// Whether another process is at work there.
    let isBusy: Bool
    private let lock: File?

    /// - Parameter lock: held; nil where this user may not write.
    private init(_ directory: consuming Directory, lock: consuming File?, mayWrite: Bool, isBusy: Bool = false) {
        self.directory = directory
        self.lock = lock
        self.mayWrite = mayWrite
        self.isBusy = isBusy
    }

    /// As root this makes the process the directory's owner: nothing of what comes from elsewhere is read by root.
    ///
    /// - Returns: nil where there is nothing yet, and this user may not make it.
    static func open(_ directories: Directories) throws -> SourceStore? {
        let place = directories.stateDir + "/sources"
        var status = stat()
        if geteuid() == 0, lstat(place, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid != 0 {
            guard let user = UserIdentity(uid: status.st_uid) else {
                throw Failure("the owner of \(place) is not in the user database; give it to patchd-fetch")
            }
            try user.become()
        }
        do throws(FileError) {
            let top = try Directory.open(directories.stateDir)
            if try top.status("sources") == nil { try top.makeDirectory("sources", mode: 0o750) }
            let own = try top.directory("sources")
            guard own.refusal(W_OK | X_OK) == nil else { return SourceStore(own, lock: nil, mayWrite: false) }
            let lock = try own.appendingFile("lock", mode: 0o640)
            guard try lock.lock() else { return SourceStore(own, lock: nil, mayWrite: false, isBusy: true) }
            return SourceStore(own, lock: lock, mayWrite: true)
        } catch {
            if access(place, F_OK) != 0, [EACCES, EPERM, EROFS, ENOENT].contains(error.number) { return nil }
            throw Failure(error.number == EACCES ? "\(error); \(Directories.groupHint)" : error.description)
        }
    }

    /// The last index that was taken from a source; nil for none.
    ///
    /// - Throws: also where it cannot be read: then nothing is known of what may follow it.
    func lastIndex(of source: UpdateSource) throws -> [UInt8]? {
        try directory.readFile(Self.name(of: source), limit: UpdateIndex.limit)
    }

    /// Keeps an index as the last one of its source.
    func keep(_ index: [UInt8], of source: UpdateSource) throws {
        guard mayWrite else { return }
        try directory.replaceFile(Self.name(of: source), with: index, mode: 0o640)
    }

    /// Where the last index of a source is.
    func place(of source: UpdateSource) -> String { "\(directory.path)/\(Self.name(of: source))" }

    private static func name(of source: UpdateSource) -> String {
        "\(SHA256.hash(of: Array(source.url.description.utf8)).prefix(32)).index"
    }

    /// SHA-256 sums of the archives that were dropped.
    func handedOver() throws -> Set<String> {
        let bytes = try directory.readFile("handed-over", limit: 2 * Self.remembered) ?? []
        return Set(String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init))
    }

    /// Remembers an archive that was dropped, and removes what was kept of it.
    func setHandedOver(_ update: IndexedUpdate) throws {
        let bytes = try directory.readFile("handed-over", limit: 2 * Self.remembered) ?? []
        try directory.replaceFile(
            "handed-over", with: Array(bytes.suffix(Self.remembered)) + Array("\(update.sha256)\n".utf8), mode: 0o640)
        try removeParts(of: update.sha256)
    }

    /// Removes what has come of archives that nobody wants any more.
    func removeParts(except updates: [IndexedUpdate]) throws {
        let wanted = Set(updates.map(\.sha256))
        for name in try directory.names() where name.hasSuffix(".part") || name.hasSuffix(".ranges") {
            let sum = String(name.prefix { $0 != "." })
            if !wanted.contains(sum) { try removeParts(of: sum) }
        }
    }

    private func removeParts(of sha256: String) throws {
        try directory.remove("\(sha256).part")
        try directory.removeTree("\(sha256).ranges")
    }
}
