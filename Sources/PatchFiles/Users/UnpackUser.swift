import Glibc

/// The user that reads hostile archives; it owns nothing but the tree that it unpacks.
public enum UnpackUser {
    /// As sysusers.d made it, else `nobody`.
    public static var identity: UserIdentity {
        let user = UserIdentity(named: "patchd-unpack")
        let gid = user?.gid ?? 65534
        return UserIdentity(uid: user?.uid ?? 65534, gid: gid, groups: [gid])
    }

    /// Lets it write to the tree.
    public static func give(_ tree: borrowing Directory, to user: UserIdentity) throws(FileError) {
        guard fchown(tree.descriptor, user.uid, user.gid) == 0 else {
            throw FileError("change the owner of", tree.path)
        }
    }
}
