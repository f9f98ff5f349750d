import Glibc
import PatchFiles
public import PatchModel

/// A file with a password, as a folder's configuration names it.
public enum CredentialFile {
    /// Nobody but root and the folder's owner may know or change a password.
    ///
    /// - Parameters:
    ///   - key: of the configuration, for messages.
    ///   - name, uid: the folder's owner.
    /// - Throws: with the code `database`.
    public static func check(
        _ path: String, of folder: String, _ key: String, owner name: String, _ uid: UInt32
    ) throws(Fault) {
        func refuse(_ cause: String, _ wayOut: String) -> Fault {
            Fault(folder: folder, .database, "cannot use the \(key) \(path): \(cause); \(wayOut)")
        }
        let status: FileStatus
        do throws(FileError) { status = try File.open(path, O_RDONLY | O_NONBLOCK).status() } catch {
            throw refuse(error.reason, "correct \"\(key)\" in the configuration, or put the file there")
        }
        guard status.kind == .file, status.size <= 64 << 10 else {
            throw refuse("it is no small file", "its lines are user=NAME and password=TEXT")
        }
        guard status.mode & 0o077 == 0 else { throw refuse("others may read or write it", "chmod 600 \(path)") }
        guard [0, uid, geteuid()].contains(status.uid) else {
            throw refuse("it belongs to uid \(status.uid)", "chown \(name) \(path)")
        }
    }
}
