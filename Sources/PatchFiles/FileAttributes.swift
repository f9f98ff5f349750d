import CLinux
import Glibc

extension File {
    /// Copies the extended attributes (access control lists and security labels are among them) of another file.
    ///
    /// - Throws: also when one may not be set: a file that silently lost its ACL would be a security hole.
    public func copyAttributes(from other: borrowing File) throws(FileError) {
        for name in try other.attributeNames() {
            let size = fgetxattr(other.descriptor, name, nil, 0)
            guard size >= 0 else { throw FileError("read attribute \(name) of", other.path) }
            var value = [UInt8](repeating: 0, count: size)
            guard fgetxattr(other.descriptor, name, &value, size) == size else {
                throw FileError("read attribute \(name) of", other.path)
            }
            var present = [UInt8](repeating: 0, count: size)
            if fgetxattr(descriptor, name, &present, size) == size, present == value { continue }
            try FaultPoint.pass("setxattr", path)
            guard fsetxattr(descriptor, name, value, size, 0) == 0 else {
                throw FileError("set attribute \(name) of", path)
            }
        }
    }

    /// Gives a new file what its directory would have given it, had it been created there: the group of a setgid
    /// directory, and the default access control list (acl(5)). The mode has to be set afterwards, because it becomes
    /// the mask.
    public func inherit(from directory: borrowing Directory) throws(FileError) {
        let parent = try directory.status()
        if parent.mode & 0o2000 != 0, try status().gid != parent.gid {
            try setOwner(uid: UInt32.max, gid: parent.gid)
        }
        let size = fgetxattr(directory.descriptor, "system.posix_acl_default", nil, 0)
        guard size > 0 else { return }
        var list = [UInt8](repeating: 0, count: size)
        guard fgetxattr(directory.descriptor, "system.posix_acl_default", &list, size) == size else {
            throw FileError("read the default access control list of", directory.path)
        }
        try FaultPoint.pass("setxattr", path)
        guard fsetxattr(descriptor, "system.posix_acl_access", list, size, 0) == 0 else {
            throw FileError("set the access control list of", path)
        }
    }

    /// Whether even root may not rename or replace it: immutable or append-only (chattr(1)).
    public var isImmutable: Bool { patch_is_immutable(descriptor) == 1 }

    private func attributeNames() throws(FileError) -> [String] {
        let size = flistxattr(descriptor, nil, 0)
        if size < 0, errno == ENOTSUP { return [] }
        guard size >= 0 else { throw FileError("list the attributes of", path) }
        var list = [CChar](repeating: 0, count: size)
        guard flistxattr(descriptor, &list, size) == size else { throw FileError("list the attributes of", path) }
        return list.split(separator: 0).map { String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self) }
    }
}
