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
        // Else the owner could have any file of root's brought to his worker.
        if status.uid != uid, let reason = reach(path) {
            throw refuse(
                "it is not \(name)'s own, and \(reason)", "chown \(name) \(path), or keep it below /etc/patchd")
        }
    }

    /// Why somebody other than root decides which file a path leads to; nil where only root does.
    private static func reach(_ path: String) -> String? {
        var place = ""
        for component in path.split(separator: "/") {
            place += "/" + component
            var status = stat()
            guard lstat(place, &status) == 0 else { return "\(place) cannot be looked at" }
            if place == path, status.st_mode & S_IFMT == S_IFREG { continue }
            guard status.st_mode & S_IFMT == S_IFDIR else { return "\(place) is a link" }
            let isOpen = status.st_mode & (S_IWGRP | S_IWOTH) != 0 && status.st_mode & S_ISVTX == 0
            guard [0, geteuid()].contains(status.st_uid), !isOpen else { return "others may change \(place)" }
        }
        return nil
    }
}
