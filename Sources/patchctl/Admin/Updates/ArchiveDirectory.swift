import Glibc
import PatchFiles
import PatchModel

/// All archives of a directory, in the order in which they are to be applied.
struct ArchiveDirectory {
    let path: String

    /// Nil where the path leads to no directory.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// The paths of its archives, lowest version first; what is hidden is left alone, as in the spool.
    ///
    /// - Throws: ``Failure`` where there is none, or one would be refused: then none of them is handed over.
    func archives(limits: Limits) throws -> [String] {
        let names: [String]
        do throws(FileError) {
            names = try Directory.open(path).names().filter { $0.hasSuffix(".zip") && !$0.hasPrefix(".") }
        } catch {
            throw Failure(error.description)
        }
        guard !names.isEmpty else { throw Failure(.refused, "there is no archive (*.zip) in \"\(path)\"") }
        let worker = try Worker()
        let found = try names.sorted().map { name in
            let verdict = try worker.unpack(try UpdateFile.open("\(path)/\(name)"), limits: limits)
            if let refusal = verdict.refusal {
                throw Failure(
                    .refused,
                    "\(name) would be refused, so none is submitted: \(refusal.code.rawValue): \(refusal)")
            }
            guard let version = verdict.update?.manifest.version else {
                throw Failure("the check of \"\(name)\" came to no verdict")
            }
            return (version, "\(path)/\(name)")
        }
        return found.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1)
    }
}
