import Glibc
import PatchFiles
import PatchModel

/// The archive as it lies before it is handed over.
enum UpdateFile {
    static func open(_ path: String) throws(Failure) -> File {
        do throws(FileError) {
            let file = try File.open(path, O_RDONLY | O_NONBLOCK)
            if try file.status().kind == .file { return file }
        } catch {
            throw Failure(.refused, error.description)
        }
        throw Failure(.refused, "\"\(path)\" is no plain file; an update is a zip archive")
    }

    /// What lies beside it as its signature; nil for nothing.
    static func signature(of path: String) throws(Failure) -> [UInt8]? {
        let name = path + SignatureFile.suffix
        do throws(FileError) {
            let file = try File.open(name, O_RDONLY | O_NONBLOCK)
            let status = try file.status()
            if status.kind == .file, status.size <= SignatureFile.limit {
                return try file.read(limit: SignatureFile.limit)
            }
        } catch {
            if error.number == ENOENT { return nil }
            throw Failure(.refused, error.description)
        }
        throw Failure(.refused, "\"\(name)\" is no signature: no plain file, or larger than any")
    }

    static func sha256(_ file: borrowing File) throws(Failure) -> String {
        do throws(FileError) {
            return try file.sha256()
        } catch {
            throw Failure(error.description)
        }
    }
}
