import Glibc

/// The groups of this process.
enum ProcessGroups {
    /// Whether it may give its files to a group. Others than root give them to groups of their own only (chown(2)).
    static func mayGive(_ group: UInt32) -> Bool {
        if geteuid() == 0 || group == getegid() { return true }
        var groups = [gid_t](repeating: 0, count: 1024)
        let count = getgroups(Int32(groups.count), &groups)
        return groups.prefix(Int(max(0, count))).contains(group)
    }
}
