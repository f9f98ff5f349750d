import CLinux
import Glibc

/// The result of `fstatat(2)`, without following a link in the last component.
public struct FileStatus: Hashable, Sendable {
    /// What kind of file it is.
    public enum Kind: Sendable { case file, directory, link, other }

    /// What kind of file it is.
    public var kind: Kind
    /// Permission bits with setuid, setgid and sticky.
    public var mode: UInt16
    /// In bytes.
    public var size: Int64
    /// Owner.
    public var uid: UInt32
    /// Group.
    public var gid: UInt32
    /// File system.
    public var device: UInt64
    /// Identifies the file within ``device`` while it exists.
    public var inode: UInt64
    /// Hard links.
    public var links: UInt64
    /// Last change of content, in nanoseconds since 1970.
    public var modified: Int64
    /// Last change of content or attributes, in nanoseconds since 1970.
    public var changed: Int64

    init(_ raw: stat) {
        switch raw.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .link
        default: kind = .other
        }
        mode = UInt16(raw.st_mode & 0o7777)
        size = Int64(raw.st_size)
        uid = raw.st_uid
        gid = raw.st_gid
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        links = UInt64(raw.st_nlink)
        modified = Int64(raw.st_mtim.tv_sec) * 1_000_000_000 + Int64(raw.st_mtim.tv_nsec)
        changed = Int64(raw.st_ctim.tv_sec) * 1_000_000_000 + Int64(raw.st_ctim.tv_nsec)
    }
}
