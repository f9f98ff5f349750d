import Glibc
public import PatchModel

/// The user that a folder is updated as.
public struct Owner: Hashable, Sendable {
    /// As in the user database; the number as text where the user has no entry.
    public var name: String
    /// The user's number.
    public var uid: UInt32
    /// The user's primary group.
    public var gid: UInt32
    /// The home directory; `/` where there is none.
    public var home: String

    /// Memberwise.
    public init(name: String, uid: UInt32, gid: UInt32, home: String) {
        self.name = name
        self.uid = uid
        self.gid = gid
        self.home = home
    }
}

/// Decides which user a folder is updated as, and whether its path can be trusted for that (contract §5, `owner`).
///
/// Nobody else may be able to redirect what runs as the owner, and root must not be used by accident.
public enum OwnerRule {
    /// The owner of a folder: the configured one, else the owner of the directory. `recorded` is the owner in its state
    /// file, nil before there is one.
    ///
    /// - Throws: a `Fault` with the code `ownership`; `missing` where the directory does not exist; `io` where the
    ///   system cannot say.
    public static func check(folder: Folder, recorded: String?) throws(Fault) -> Owner {
        try check(folder: folder, recorded: recorded, process: geteuid())
    }

    /// The same for a process of another user; for tests.
    static func check(folder: Folder, recorded: String?, process: UInt32) throws(Fault) -> Owner {
        // Every component is checked from the top, so that nothing below a link or a foreign directory is trusted.
        var components = [(path: "/", status: try status(of: "/", folder))]
        var path = ""
        for component in folder.path.split(separator: "/") {
            path += "/" + component
            components.append((path, try status(of: path, folder)))
        }
        let directory = components.removeLast()
        let owner = try owner(of: directory.status, folder: folder, process: process)
        try checkRights(owner, folder: folder, process: process)
        if let recorded, recorded != owner.name {
            throw fault(
                folder,
                "\(folder.path) belonged to \"\(recorded)\" when patchd first saw it, now it is \"\(owner.name)\"; give "
                    + "it back with \"chown -R \(recorded) \(folder.path)\" and correct \"owner\", or, if the change is "
                    + "meant, correct \"owner\" in the folder's state file while patchd is stopped")
        }
        guard directory.status.st_uid == owner.uid || directory.status.st_uid == 0 else {
            throw fault(
                folder,
                "\(folder.path) belongs to \(UserDatabase.text(of: directory.status.st_uid)), its \"owner\" is \"\(owner.name)\"; "
                    + "correct \"owner\", or \"chown -R \(owner.name) \(folder.path)\"")
        }
        for (above, status) in components { try check(above, status, owner: owner, folder: folder) }
        return owner
    }

    /// One component above the folder.
    private static func check(_ path: String, _ status: stat, owner: Owner, folder: Folder) throws(Fault) {
        guard status.st_uid == 0 || status.st_uid == owner.uid else {
            let others = owner.uid == 0 ? "root" : "root or \(owner.name)"
            throw fault(
                folder,
                "\(path), above \(folder.path), belongs to \(UserDatabase.text(of: status.st_uid)), who could put something else "
                    + "there; it has to belong to \(others): \"chown root \(path)\"")
        }
        let writers = status.st_mode & (S_IWGRP | S_IWOTH)
        guard writers == 0 || status.st_mode & S_ISVTX != 0 else {
            let who = writers & S_IWOTH != 0 ? "everybody" : "its group"
            let mode = writers & S_IWOTH != 0 ? "go-w" : "g-w"
            throw fault(
                folder,
                "\(path), above \(folder.path), is writable by \(who), who could put something else there; it belongs to "
                    + "\(UserDatabase.text(of: status.st_uid)): \"chmod \(mode) \(path)\"")
        }
    }

    /// The configured or found owner, before it is checked whether that user may be used.
    private static func owner(of directory: stat, folder: Folder, process: UInt32) throws(Fault) -> Owner {
        if let name = folder.owner {
            if let owner = try UserDatabase.user(named: name, folder) { return owner }
            throw fault(
                folder,
                "\"owner: \(name)\" of \(folder.path) is no user of this host; create the user, or correct \"owner\"")
        }
        if directory.st_uid == 0 {
            throw fault(
                folder,
                "\(folder.path) belongs to root, and root is used only where the configuration says so; give it to the "
                    + "application's user with \"chown -R USER \(folder.path)\", or say \"owner: root\"")
        }
        if let owner = try UserDatabase.user(directory.st_uid, folder) { return owner }
        // Without root nothing is run as anybody else, so a user without an entry (as in containers) does no harm.
        if directory.st_uid == process {
            return Owner(name: String(directory.st_uid), uid: directory.st_uid, gid: directory.st_gid, home: "/")
        }
        throw fault(
            folder,
            "\(folder.path) belongs to \(UserDatabase.text(of: directory.st_uid)), who is no user of this host; "
                + "\"chown -R USER \(folder.path)\"")
    }

    private static func checkRights(_ owner: Owner, folder: Folder, process: UInt32) throws(Fault) {
        guard process == 0 || owner.uid == process else {
            throw fault(
                folder,
                "\(folder.path) belongs to \(owner.name), patchd runs as \(UserDatabase.text(of: process)); without root it updates "
                    + "the folders of its own user only: run it as root or as \(owner.name)")
        }
    }

    /// The status of a directory that is not a link.
    private static func status(of path: String, _ folder: Folder) throws(Fault) -> stat {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            let code = errno
            if code == ENOENT {
                throw Fault(
                    folder: folder.name, .missing,
                    "\(path) does not exist; create the folder, correct its \"path\", or say \"active: false\"")
            }
            throw Fault(
                folder: folder.name, .io,
                "\(path) cannot be examined: \(ConfigurationFile.text(code)); see to its rights")
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return status
        case S_IFLNK:
            throw fault(
                folder,
                "\(path) is a symbolic link of \(UserDatabase.text(of: status.st_uid)), so \(folder.path) may lead elsewhere at any "
                    + "time; configure the path without links, as \"readlink -f \(folder.path)\" prints it")
        default:
            throw fault(
                folder,
                "\(path) of \(UserDatabase.text(of: status.st_uid)) is no directory; correct the folder's \"path\"")
        }
    }

    private static func fault(_ folder: Folder, _ message: String) -> Fault {
        Fault(folder: folder.name, .ownership, message)
    }

}
