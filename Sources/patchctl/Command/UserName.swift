import Glibc
import PatchFiles

/// Users as people call them.
enum UserName {
    static var own: String { of(geteuid()) }

    static func of(_ uid: UInt32) -> String {
        getpwuid(uid).map { String(cString: $0.pointee.pw_name) } ?? "user \(uid)"
    }

    /// Whether this process is in a group.
    static func isMember(of group: String) -> Bool {
        guard let wanted = UserIdentity.group(named: group) else { return false }
        if getegid() == wanted { return true }
        var groups = [gid_t](repeating: 0, count: 65536)
        let count = getgroups(Int32(groups.count), &groups)
        return groups.prefix(Int(max(count, 0))).contains(wanted)
    }

    /// The users in a group, as far as the user database can be listed. None where there is no such group.
    static func members(of group: String) -> Set<String> {
        guard let entry = getgrnam(group) else { return [] }
        let gid = entry.pointee.gr_gid
        var names: Set<String> = []
        var next = entry.pointee.gr_mem
        while let pointer = next, let name = pointer.pointee {
            names.insert(String(cString: name))
            next = pointer.advanced(by: 1)
        }
        setpwent()
        defer { endpwent() }
        while names.count < 10_000, let user = getpwent() {
            if user.pointee.pw_gid == gid { names.insert(String(cString: user.pointee.pw_name)) }
        }
        // Never approvers, whatever groups they are in.
        return names.subtracting(["patchd-fetch", "patchd-agent"])
    }

    /// Whether a user is in a group, as the user database has it.
    static func isMember(_ uid: UInt32, of group: String) -> Bool {
        guard let wanted = UserIdentity.group(named: group) else { return false }
        return UserIdentity(uid: uid)?.groups.contains(wanted) ?? false
    }
}
