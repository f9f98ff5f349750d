import CArchive
import Glibc
import PatchFiles
import PatchModel

/// Writes a directory as an update archive.
public enum ArchiveWriter {
    /// Writes everything in a directory, the manifest first and then by name.
    ///
    /// The same content gives the same bytes: no times, no owners, modes reduced to what an update may ask for. What
    /// macOS and Windows leave behind (`.DS_Store`, `Thumbs.db`, `__MACOSX/`) is left out. Whether the result is a good
    /// update is for ``ArchiveCheck`` to say.
    ///
    /// - Parameters:
    ///   - file: Empty and open for writing; durable on return.
    ///   - manifest: What `update.json` says; nil: what the directory has there.
    ///   - below: The path in the archive that the directory's content goes to; nil: its root. What is patchd's own in a
    ///     folder (`registry.json`, `update.lock`, `.patchd*`) is left out then: such a tree may be a folder.
    ///   - leavingOut: Paths in the directory that are not packed.
    ///   - adding: More files at the top of the content, by name.
    /// - Throws: a refusal where the directory holds what no update may (links, devices, setuid files, names), else the
    ///   failed call on a file.
    public static func pack(
        directory: borrowing Directory, to file: borrowing File, limits: Limits = Limits(), manifest: [UInt8]? = nil,
        below: String? = nil, leavingOut: Set<ExactText> = [], adding: [String: [UInt8]] = [:]
    ) throws(ArchiveFailure) {
        var found: [Packed] = []
        try collect(directory, below: nil, into: &found, limits)
        found.removeAll { leavingOut.contains($0.path) || below != nil && isFolders($0.path) }
        found += adding.map { name, content in
            Packed(path: ExactText(name), isDirectory: false, mode: 0o644, size: Int64(content.count), content: content)
        }
        let own = below == nil ? found.first { $0.path == ExactText("update.json") } ?? onlyDocument(found) : nil
        found.sort { $0.path < $1.path }
        let output = try ZipOutput.open(file)
        if let manifest {
            let path = own?.path ?? ExactText("update.json")
            let size = Int64(manifest.count)
            try output.add(
                Packed(path: path, isDirectory: false, mode: 0o644, size: size, content: manifest), from: directory)
        } else if let own {
            try output.add(own, from: directory)
        }
        if let below, found.isEmpty {
            try output.add(Packed(path: ExactText(below), isDirectory: true, mode: 0o755, size: 0), from: directory)
        }
        let top = below.map { ExactText($0).bytes + [UInt8(ascii: "/")] } ?? []
        for entry in found where entry.path != own?.path {
            try output.add(entry, from: directory, as: ExactText(bytes: top + entry.path.bytes))
        }
        try output.close()
        try onHost { () throws(FileError) in try file.sync() }
    }

    private static func isFolders(_ path: ExactText) -> Bool {
        EntryName.reservedProblem(inFolder: path.description) != nil
    }

    private static func onlyDocument(_ found: [Packed]) -> Packed? {
        let documents = found.filter {
            !$0.isDirectory && $0.path.components.count == 1 && $0.path.bytes.suffix(5).elementsEqual(".json".utf8)
        }
        return documents.count == 1 ? documents.first : nil
    }

    private static func collect(
        _ directory: borrowing Directory, below parent: ExactText?, into found: inout [Packed], _ limits: Limits
    ) throws(ArchiveFailure) {
        for name in try rawNames(directory) {
            let path = ExactText(bytes: (parent.map { $0.bytes + [UInt8(ascii: "/")] } ?? []) + name)
            try ArchiveEntry.check(name: path.bytes[...], limits: limits)
            let text = String(decoding: name, as: UTF8.self)
            let status = try onHost { () throws(FileError) in try directory.status(text) }
            guard let status else { continue }
            guard status.kind == .file || status.kind == .directory else {
                throw .refused(.entryType, at: path.description, "only files and directories can be packed")
            }
            let isDirectory = status.kind == .directory
            guard isDirectory || status.mode & 0o7000 == 0 else {
                throw .refused(
                    .entryType, at: path.description,
                    "the file is setuid, setgid or sticky; take the bit away with chmod")
            }
            if ArchiveLayout.isDropped(path, isDirectory: isDirectory) { continue }
            found.append(
                Packed(
                    path: path, isDirectory: isDirectory, mode: status.mode & 0o755, size: isDirectory ? 0 : status.size
                ))
            guard found.count <= limits.entries else {
                throw .refused(
                    .limitExceeded, "the directory has more than \(limits.entries) entries (limits: entries)")
            }
            guard isDirectory else { continue }
            let child = try onHost { () throws(FileError) in try directory.directory(text) }
            try collect(child, below: path, into: &found, limits)
        }
    }

    /// The names in a directory as raw bytes: one that is not UTF-8 has to be refused, not left out.
    private static func rawNames(_ directory: borrowing Directory) throws(ArchiveFailure) -> [[UInt8]] {
        let own = try onHost { () throws(FileError) in try directory.directory(".") }
        let descriptor = fcntl(own.descriptor, F_DUPFD_CLOEXEC, 3)
        guard descriptor >= 0, let stream = fdopendir(descriptor) else {
            let error = FileError("read directory", directory.path)
            if descriptor >= 0 { close(descriptor) }
            throw .failed(error)
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw .failed(FileError("read directory", directory.path)) }
                return names
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in Array(raw.prefix { $0 != 0 }) }
            if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
        }
    }
}

/// Something that is packed.
private struct Packed {
    var path: ExactText
    var isDirectory: Bool
    var mode: UInt16
    var size: Int64
    /// Nil: what the directory has there.
    var content: [UInt8]?
}

/// libarchive's zip writer on a file.
private struct ZipOutput: ~Copyable {
    private let handle: OpaquePointer
    private let path: String

    static func open(_ file: borrowing File) throws(ArchiveFailure) -> ZipOutput {
        // Without a UTF-8 locale libarchive would not mark names as UTF-8 in the flags.
        _ = setlocale(LC_CTYPE, "C.UTF-8")
        guard let handle = archive_write_new() else { throw .failed(FileError("write", file.path, number: ENOMEM)) }
        let output = ZipOutput(handle: handle, path: file.path)
        let steps = [
            archive_write_set_format_zip(handle), archive_write_zip_set_compression_deflate(handle),
            // No padding after the end, also where the file is a pipe.
            archive_write_set_bytes_in_last_block(handle, 1), archive_write_open_fd(handle, file.descriptor),
        ]
        guard steps.allSatisfy({ $0 == ARCHIVE_OK }) else { throw output.problem() }
        return output
    }

    private init(handle: OpaquePointer, path: String) {
        self.handle = handle
        self.path = path
    }

    deinit { archive_write_free(handle) }

    private func problem() -> ArchiveFailure { Self.problem(handle, path) }

    private static func problem(_ handle: OpaquePointer, _ path: String) -> ArchiveFailure {
        let number = archive_errno(handle)
        return .failed(FileError("write", path, number: number > 0 ? number : EIO))
    }

    func add(_ packed: Packed, from directory: borrowing Directory, as path: ExactText? = nil) throws(ArchiveFailure) {
        try begin(packed, at: path ?? packed.path)
        if let content = packed.content {
            let written = content.withUnsafeBytes { archive_write_data(handle, $0.baseAddress, $0.count) }
            guard written == content.count else { throw problem() }
        } else if !packed.isDirectory {
            try copy(packed, from: directory)
        }
        guard archive_write_finish_entry(handle) == ARCHIVE_OK else { throw problem() }
    }

    private func begin(_ packed: Packed, at path: ExactText) throws(ArchiveFailure) {
        guard let entry = archive_entry_new2(handle) else { throw problem() }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, path.description)
        archive_entry_set_mode(entry, (packed.isDirectory ? S_IFDIR : S_IFREG) | mode_t(packed.mode))
        archive_entry_set_size(entry, packed.size)
        guard archive_write_header(handle, entry) == ARCHIVE_OK else { throw problem() }
    }

    private func copy(_ packed: Packed, from directory: borrowing Directory) throws(ArchiveFailure) {
        let file = try onHost { () throws(FileError) in try directory.file(packed.path.description) }
        var copied: Int64 = 0
        let handle = handle
        let path = path
        try file.forEachBlock(
            { (block) throws(ArchiveFailure) in
                copied += Int64(block.count)
                guard archive_write_data(handle, block.baseAddress, block.count) == block.count else {
                    throw Self.problem(handle, path)
                }
            }, onError: { .failed($0) })
        guard copied == packed.size else {
            throw .refused(.incomplete, at: packed.path.description, "the file changed while it was packed; pack again")
        }
    }

    func close() throws(ArchiveFailure) {
        guard archive_write_close(handle) == ARCHIVE_OK else { throw problem() }
    }
}
