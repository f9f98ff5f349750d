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
    func pack(_ path: String, to file: borrowing File, _ deletions: Deletions? = nil) throws -> CheckedUpdate {
        let source = try opened(path)
        var manifest = plain?.text
        if let deletions { manifest = try deletions.added(to: try manifest ?? text(of: source, path)) }
        if let refusal = try worker.pack(
            source, to: file, limits: limits, manifest: manifest, below: plain?.name)
        {
            throw refused(path, refusal)
        }
        return try check(file, path)
    }

    /// The update that a directory or an archive is.
    func update(at path: String) throws -> CheckedUpdate {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            let scratch = try Scratch()
            return try pack(path, to: try scratch.directory.createFile("old.zip"))
        }
        return try check(try UpdateFile.open(path), path)
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
