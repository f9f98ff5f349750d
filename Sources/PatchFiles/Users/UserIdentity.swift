import Glibc

/// A user with the ids that a process needs.
public struct UserIdentity: Hashable, Sendable {
    /// The user's id.
    public var uid: UInt32
    /// The primary group.
    public var gid: UInt32
    /// All groups.
    public var groups: [UInt32]

    /// Memberwise.
    public init(uid: UInt32, gid: UInt32, groups: [UInt32]) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }

    /// A user with the groups that the system knows; nil when there is no user with this id.
    public init?(uid: UInt32) {
        guard let found = Self.find({ getpwuid_r(uid, $0, $1, $2, $3) }) else { return nil }
        self = found
    }

    /// The same by name.
    public init?(named name: String) {
        guard let found = Self.find({ getpwnam_r(name, $0, $1, $2, $3) }) else { return nil }
        self = found
    }

    /// A user's home directory; nil where there is no such user.
    public static func home(of uid: UInt32) -> String? {
        ask { buffer, size in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let code = getpwuid_r(uid, &entry, buffer, size, &found)
            return (code, found?.pointee.pw_dir.map { String(cString: $0) })
        }
    }

    /// The id of a group; nil where there is none of that name.
    public static func group(named name: String) -> UInt32? {
        ask { buffer, size in
            var entry = Glibc.group()
            var found: UnsafeMutablePointer<Glibc.group>?
            let code = getgrnam_r(name, &entry, buffer, size, &found)
            return (code, found?.pointee.gr_gid)
        }
    }

    private static func find(
        _ query: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> Int32
    ) -> UserIdentity? {
        ask { buffer, size in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let code = query(&entry, buffer, size, &found)
            guard code == 0, let user = found?.pointee, let name = user.pw_name else { return (code, nil) }
            var count: Int32 = 256
            var list = [gid_t](repeating: 0, count: Int(count))
            // With too little room, the call reports how much it needs.
            while getgrouplist(name, user.pw_gid, &list, &count) < 0 {
                guard count > list.count else { return (code, nil) }
                list = [gid_t](repeating: 0, count: Int(count))
            }
            return (code, UserIdentity(uid: user.pw_uid, gid: user.pw_gid, groups: Array(list.prefix(Int(count)))))
        }
    }

    /// Calls with as much memory as the answer needs. The calls without `_r` answer in memory that all threads share:
    /// one thread would read another's answer, and take a user for a member of a group that they are not in.
    ///
    /// Why: docs/decisions/daemon.md#users-and-groups-are-read-with-the-_r-calls
    private static func ask<Value>(_ query: (UnsafeMutablePointer<CChar>, Int) -> (code: Int32, Value?)) -> Value? {
        var size = 4096
        while true {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            let (code, value) = query(buffer, size)
            if code == EINTR { continue }
            guard code == ERANGE, size < 1 << 22 else { return value }
            size *= 4
        }
    }
}

extension UserIdentity {
    /// Makes this process the user's, for good. For a program with one thread that was started by root.
    public func become() throws(FileError) {
        guard setgroups(groups.count, groups) == 0, setgid(gid) == 0, setuid(uid) == 0 else {
            throw FileError("become", "the user \(uid)")
        }
    }
}
