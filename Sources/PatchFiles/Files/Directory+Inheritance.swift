import CLinux
import Glibc

/// What a directory gives to what is created in it: the group of a setgid directory, the bit itself to directories, and
/// the default access control list (acl(5)). Only the kernel can give all of it: a process may not give a file to a group
/// that it is not in, and a chmod(2) by it clears the setgid bit of a directory of such a group.
extension Directory {
    private static let defaultList = "system.posix_acl_default"

    /// The name under which ``createInherited(_:mode:in:_:)`` creates; reserved, so no update brings a file of that name.
    private static let temporaryName = ".patchd-new"

    /// Whether what is created here gets more than its creator's own group and the mode asked for.
    public func hasInheritance() throws(FileError) -> Bool {
        try status().mode & 0o2000 != 0 || fgetxattr(descriptor, Self.defaultList, nil, 0) > 0
    }

    /// Creates something as the kernel would create it in `parent`, and moves it here at once. For an instant an empty
    /// file or directory with a reserved name is seen in `parent`. Done already by a process that was killed in between:
    /// that is removed first.
    ///
    /// - Parameters:
    ///   - parent: on the same mount.
    ///   - mode: masked with the umask, or, where there is a default access control list, with that.
    public func createInherited(
        _ kind: FileStatus.Kind, mode: UInt16, in parent: borrowing Directory, as name: String
    ) throws(FileError) {
        let temporary = Self.temporaryName
        if try parent.status(temporary) != nil { try parent.removeTree(temporary) }
        try FaultPoint.pass(kind == .directory ? "mkdir" : "create", parent.path + "/" + temporary)
        if kind == .directory {
            guard mkdirat(parent.descriptor, temporary, mode_t(mode)) == 0 else {
                throw FileError("create directory", parent.path + "/" + temporary)
            }
        } else {
            let made = patch_open_beneath(
                parent.descriptor, temporary, O_RDWR | O_CREAT | O_EXCL, mode_t(mode), 0)
            guard made >= 0 else { throw FileError("create", parent.path + "/" + temporary) }
            close(made)
        }
        do throws(FileError) { try parent.renameNew(temporary, to: self, name) } catch {
            try? parent.removeTree(temporary)
            throw error
        }
    }

    /// Makes a directory give nothing to what is created in it.
    public func dropInheritance() throws(FileError) {
        let mode = try status().mode
        if mode & 0o2000 != 0 {
            try FaultPoint.pass("chmod", path)
            guard fchmod(descriptor, mode_t(mode & ~0o2000)) == 0 else { throw FileError("change the mode of", path) }
        }
        guard fgetxattr(descriptor, Self.defaultList, nil, 0) > 0 else { return }
        try FaultPoint.pass("removexattr", path)
        guard fremovexattr(descriptor, Self.defaultList) == 0 else {
            throw FileError("remove the default access control list of", path)
        }
    }
}
