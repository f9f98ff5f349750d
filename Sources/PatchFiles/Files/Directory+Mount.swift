import CLinux
import Glibc

extension Directory {
    /// Identifies the mount that this directory lies on. Two bind mounts of one file system are two mounts: a rename
    /// between them is `EXDEV`, although their device is the same.
    ///
    /// Why: docs/decisions/files.md#mounts-are-identified-by-their-id
    public func mount() throws(FileError) -> UInt64 {
        var (id, isRoot): (UInt64, Int32) = (0, 0)
        guard patch_mount(descriptor, "", &id, &isRoot) == 0 else { throw FileError("ask for the mount of", path) }
        return id
    }

    /// Whether something is mounted at a path beneath this directory; false where there is nothing.
    public func isMountPoint(_ relative: String) throws(FileError) -> Bool {
        let (parent, name) = Self.split(relative)
        let above = try directory(parent ?? ".")
        var (id, isRoot): (UInt64, Int32) = (0, 0)
        guard patch_mount(above.descriptor, name, &id, &isRoot) == 0 else {
            if errno == ENOENT { return false }
            throw FileError("ask for the mount of", above.path + "/" + name)
        }
        return isRoot != 0
    }

    /// The target of a symbolic link beneath this directory; links on the way to it are not followed.
    public func linkTarget(_ relative: String) throws(FileError) -> String {
        let (parent, name) = Self.split(relative)
        let above = try directory(parent ?? ".")
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlinkat(above.descriptor, name, &buffer, buffer.count)
        guard count >= 0 else { throw FileError("read link", above.path + "/" + name) }
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
