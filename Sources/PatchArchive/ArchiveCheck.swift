import PatchFiles
import PatchModel

/// Checks an update archive and unpacks it to a tree of plain files.
///
/// Two readers go over the bytes: a structural pass that accepts only what has exactly one reading, and then
/// libarchive, which must see the same names, types, sizes and checksums. Where they disagree the archive is refused.
public enum ArchiveCheck {
    /// All `jobs.json` and `datafiles.json` together may have this many times the limit of one: they are held in
    /// memory.
    private static let documents = 16

    /// Checks an archive (contract §4 and §11) and writes its files.
    ///
    /// The archive is read with pread(2) only, so the descriptor may be a shared one; nobody may write to it meanwhile. A
    /// common top directory is taken off; `__MACOSX/`, `.DS_Store` and `Thumbs.db` are checked and dropped. Memory is
    /// bounded by the limits, not by the archive.
    ///
    /// - Parameters:
    ///   - archive: Open for reading.
    ///   - directory: Empty; gets files (0644) and directories (0755), durable on return. After a refusal or an error it
    ///     holds whatever was written until then.
    /// - Returns: the update, or why the archive is refused, which is no error.
    /// - Throws: when this host fails: reading, or writing for want of space.
    public static func unpack(
        archive: borrowing File, into directory: borrowing Directory, limits: Limits
    ) throws(FileError) -> UnpackVerdict {
        try verdict(archive, TreeWriter(try directory.duplicate()), limits)
    }

    /// Checks an archive exactly as ``unpack(archive:into:limits:)`` does, and writes nothing.
    ///
    /// - Parameter sql: looks through each script in SQL, one at a time; nil: they are not held.
    /// - Throws: when reading fails.
    public static func check(
        archive: borrowing File, limits: Limits, sql: SQLCheck? = nil
    ) throws(FileError) -> UnpackVerdict {
        try verdict(archive, TreeWriter(nil), limits, sql)
    }

    private static func verdict(
        _ archive: borrowing File, _ writer: consuming TreeWriter, _ limits: Limits, _ sql: SQLCheck? = nil
    ) throws(FileError) -> UnpackVerdict {
        do throws(ArchiveFailure) {
            return UnpackVerdict(try read(archive, &writer, limits, sql))
        } catch {
            switch error {
            case .refused(let refusal): return UnpackVerdict(refusal)
            case .failed(let error): throw error
            }
        }
    }

    private static func read(
        _ archive: borrowing File, _ writer: inout TreeWriter, _ limits: Limits, _ sql: SQLCheck?
    ) throws(ArchiveFailure) -> CheckedUpdate {
        var window = try onHost { () throws(FileError) in try ArchiveWindow(archive) }
        let structure = try ArchiveStructure(&window, limits: limits)
        let layout = try ArchiveLayout(structure.entries)
        let manifestEntry = structure.entries[layout.manifest]
        let manifestFile = layout.path(of: manifestEntry)?.description ?? "update.json"
        let manifest = try manifest(archive, structure, layout.manifest, named: manifestFile, limits)

        var contents: [ContentEntry] = []
        var scripts = ScriptTexts(manifest, sql)
        var held = HeldDocuments(manifest, limit: limits.manifest, together: Self.documents)
        let kept = structure.entries.compactMap { entry in layout.path(of: entry).map { ($0, entry.isDirectory) } }
        try onHost { () throws(FileError) in try writer.makeDirectories(kept) }
        let reader = try EntryReader.open(archive, length: structure.length)
        for entry in structure.entries {
            try reader.next(entry)
            let path = layout.path(of: entry)
            let sum = try copy(entry, as: path, from: reader, to: &writer, holding: &held, looking: &scripts)
            guard let path else { continue }
            contents.append(
                ContentEntry(
                    path: path.description, kind: entry.isDirectory ? .directory : .file, size: entry.size,
                    mode: entry.mode, sha256: entry.isDirectory ? "" : sum))
        }
        try reader.end()
        var update: CheckedUpdate
        do throws(Refusal) {
            update = try CheckedUpdate(
                checking: manifest, entries: contents, manifestFile: manifestFile, limit: limits.manifest,
                content: { path in held[path] ?? [] })
        } catch {
            throw .refused(error)
        }
        update.findings += scripts.findings
        try onHost { () throws(FileError) in try writer.sync() }
        return update
    }

    /// Reads the manifest before everything else, wherever in the archive it is.
    private static func manifest(
        _ archive: borrowing File, _ structure: ArchiveStructure, _ index: Int, named file: String, _ limits: Limits
    ) throws(ArchiveFailure) -> Manifest {
        let entry = structure.entries[index]
        guard entry.size <= UInt64(clamping: limits.manifest) else {
            throw .refused(
                .limitExceeded, at: entry.place,
                "the manifest has \(entry.size) bytes, \(limits.manifest) are allowed (limits: manifest)")
        }
        let reader = try EntryReader.open(archive, length: structure.length)
        for other in structure.entries[...index] { try reader.next(other) }
        var bytes: [UInt8] = []
        try reader.data(of: entry) { bytes.append(contentsOf: $0) }
        do throws(Refusal) {
            return try Manifest(strictJSON: bytes, file: file)
        } catch {
            throw .refused(error)
        }
    }

    /// Reads the entry's data to its end and writes it where it is kept.
    ///
    /// - Returns: its SHA-256; meaningless for a directory.
    private static func copy(
        _ entry: ArchiveEntry, as path: ExactText?, from reader: borrowing EntryReader, to writer: inout TreeWriter,
        holding held: inout HeldDocuments, looking scripts: inout ScriptTexts
    ) throws(ArchiveFailure) -> String {
        var sum = SHA256()
        if let path, !entry.isDirectory {
            try onHost { () throws(FileError) in try writer.begin(path) }
        }
        let isHeld = entry.isDirectory ? false : try held.wants(path, of: entry)
        if !entry.isDirectory { scripts.begin(path) }
        try reader.data(of: entry) { (block) throws(ArchiveFailure) in
            sum.update(block)
            scripts.take(block)
            if let path, isHeld { held.append(block, to: path) }
            try onHost { () throws(FileError) in try writer.write(block) }
        }
        writer.end()
        scripts.end()
        return sum.finish()
    }
}

/// The bytes of every `jobs.json` and `datafiles.json` at the top of a patch, kept while the data streams by.
private struct HeldDocuments {
    private let paths: Set<ExactText>
    private let limit: Int
    private let together: Int
    private var total = 0
    private var held: [ExactText: [UInt8]] = [:]

    init(_ manifest: Manifest, limit: Int, together: Int) {
        paths = Set(
            manifest.patches.flatMap { patch in
                ["jobs.json", "datafiles.json"].map { ExactText("\(patch.path)/\($0)") }
            })
        self.limit = limit
        self.together = limit.multipliedReportingOverflow(by: together).overflow ? Int.max : limit * together
    }

    subscript(_ path: String) -> [UInt8]? { held[ExactText(path)] }

    /// Whether an entry is one of them.
    mutating func wants(_ path: ExactText?, of entry: ArchiveEntry) throws(ArchiveFailure) -> Bool {
        guard let path, paths.contains(path) else { return false }
        guard entry.size <= UInt64(clamping: limit) else {
            throw .refused(
                .limitExceeded, at: entry.place, "has \(entry.size) bytes, \(limit) are allowed (limits: manifest)")
        }
        total += Int(clamping: entry.size)
        guard total <= together else {
            throw .refused(
                .limitExceeded, at: entry.place,
                "all jobs.json and datafiles.json have more than \(together) bytes together (\(together / max(limit, 1)) times "
                    + "limits: manifest)")
        }
        held[path] = []
        return true
    }

    mutating func append(_ block: UnsafeRawBufferPointer, to path: ExactText) {
        held[path]?.append(contentsOf: block)
    }
}
