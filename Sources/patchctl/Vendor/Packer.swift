import Glibc
import PatchFiles
import PatchModel

/// Packs directories with the worker, and checks the result as the daemon would.
struct Packer: ~Copyable {
    let worker: Worker
    let limits: Limits
    /// Of a plain tree; nil where directories have a manifest.
    let plain: PlainManifest?

    /// Packs a directory into an empty file.
    func pack(
        _ source: borrowing Directory, _ path: String, to file: borrowing File, _ change: PackChange = PackChange()
    ) throws -> CheckedUpdate {
        var change = change
        change.manifest = change.manifest ?? plain?.text
        if let refusal = try worker.pack(source, to: file, limits: limits, change: change, below: plain?.name) {
            throw refused(path, refusal)
        }
        return try check(file, path)
    }

    /// The directory of that path, or what is in the archive.
    func source(_ path: String) throws -> Directory {
        if plain != nil || kind(of: path) != S_IFREG { return try opened(path) }
        let verdict = try worker.unpack(try UpdateFile.open(path), limits: limits, into: "source")
        if let refusal = verdict.refusal { throw refused(path, refusal) }
        let tree = try worker.tree("source")
        // The checked tree has no modes of its own.
        for entry in verdict.update?.entries.reversed() ?? [] {
            guard let mode = entry.mode else { continue }
            switch entry.kind {
            case .file: try tree.file(entry.path).setMode(mode)
            case .directory:
                let directory = try tree.directory(entry.path)
                guard fchmod(directory.descriptor, mode_t(mode)) == 0 else {
                    throw FileError("set the mode of", directory.path)
                }
            }
        }
        return tree
    }

    /// The update that a directory or an archive is.
    func update(at path: String) throws -> CheckedUpdate {
        guard kind(of: path) == S_IFDIR else { return try check(try UpdateFile.open(path), path) }
        let scratch = try Scratch()
        return try pack(try opened(path), path, to: try scratch.directory.createFile("old.zip"))
    }

    /// What brings folders from an older update to a newer one.
    func change(from old: String, to update: CheckedUpdate, of source: borrowing Directory, _ path: String) throws
        -> PackChange
    {
        let before = try self.update(at: old)
        let difference = UpdateDifference(from: before, to: update, isTree: plain != nil)
        for note in difference.notes { Notes.line(note) }
        var change = PackChange()
        change.manifest = try difference.added(to: try plain?.text ?? text(of: source, path))
        for patch in update.manifest.patches {
            let unchanged = difference.unchanged[patch.name] ?? []
            change.leavingOut.formUnion(
                plain == nil ? unchanged.map { ExactText("\(patch.path)/\($0)") } : Array(unchanged))
        }
        if let plain { try compareRegistries(old, source, path, update, plain, &change) }
        return change
    }

    /// Of trees that are folders: tables and forms come by commands, so that the folders' registries follow.
    private func compareRegistries(
        _ old: String, _ source: borrowing Directory, _ path: String, _ update: CheckedUpdate, _ plain: PlainManifest,
        _ change: inout PackChange
    ) throws {
        guard update.descriptions.isEmpty, kind(of: old) == S_IFDIR else { return }
        let before = try registry(of: try opened(old), old)
        let after = try registry(of: source, path)
        let top = ExactText(plain.name)
        let files = update.entries.filter { $0.kind == .file }.compactMap { ExactText($0.path).relative(to: top) }
        let unchanged = change.leavingOut
        let difference = try RegistryDifference(from: before, to: after) { !unchanged.contains($0) }
        for note in difference.notes { Notes.line(note) }
        if difference.commands.isEmpty { return }
        let changed = files.filter { !unchanged.contains($0) && !Patch.isOwn($0) }
        change.adding = difference.documents(copying: changed)
        let needed = difference.needed.union(difference.needed.flatMap(\.parents))
        change.leavingOut.subtract(needed)
    }

    private func registry(of tree: borrowing Directory, _ path: String) throws -> DataRegistry {
        guard let bytes = try tree.readFile(DataRegistry.fileName) else { return DataRegistry() }
        do throws(DataRegistry.Damage) {
            return try DataRegistry(text: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw Failure("cannot use \"\(path)/\(DataRegistry.fileName)\": \(error); fix it, or leave it out")
        }
    }

    /// Nil where nothing is there.
    private func kind(of path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private func check(_ file: borrowing File, _ path: String) throws -> CheckedUpdate {
        let verdict = try worker.unpack(file, limits: limits)
        if let refusal = verdict.refusal { throw refused(path, refusal) }
        guard let update = verdict.update else { throw Failure("cannot check \(path): the check said nothing") }
        return update
    }

    /// The directory's own manifest.
    private func text(of source: borrowing Directory, _ path: String) throws -> [UInt8] {
        guard let bytes = try source.readFile("update.json", limit: Int(limits.manifest)) else {
            throw Failure(.refused, "with --from, the manifest of \(path) has to be called update.json")
        }
        return bytes
    }

    private func refused(_ path: String, _ refusal: Refusal) -> Failure {
        Failure(.refused, "\(path) is no update: \(refusal.code.rawValue): \(refusal)")
    }

    private func opened(_ path: String) throws(Failure) -> Directory {
        do throws(FileError) {
            return try Directory.open(path)
        } catch {
            throw Failure("\(error)")
        }
    }
}
