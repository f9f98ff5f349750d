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

    static func sha256(_ file: borrowing File) throws(Failure) -> String {
        do throws(FileError) {
            return try file.sha256()
        } catch {
            throw Failure(error.description)
        }
    }
}
