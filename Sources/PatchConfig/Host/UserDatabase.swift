import Glibc
import PatchModel

/// The users of this host.
public enum UserDatabase {
    /// Nil when there is no such user.
    ///
    /// - Throws: a `Fault` with the code `io` when the database cannot be read; that is no proof that a user is missing.
    static func user(named name: String, _ folder: Folder) throws(Fault) -> Owner? {
        try user(folder) { getpwnam_r(name, $0, $1, $2, $3) }
    }

    /// Nil when no user has this number.
    ///
    /// - Throws: as ``user(named:_:)``.
    static func user(_ uid: UInt32, _ folder: Folder) throws(Fault) -> Owner? {
        try user(folder) { getpwuid_r(uid, $0, $1, $2, $3) }
    }

    /// Whether there surely is no user of this name.
    static func isMissing(_ name: String) -> Bool {
        let (owner, code) = lookUp { getpwnam_r(name, $0, $1, $2, $3) }
        return owner == nil && [0, ENOENT, ESRCH].contains(code)
    }

    /// A user's name; nil when nobody has this number or nobody can tell.
    public static func name(of uid: UInt32) -> String? {
        lookUp { getpwuid_r(uid, $0, $1, $2, $3) }.owner?.name
    }

    /// The name for messages.
    public static func text(of uid: UInt32) -> String { name(of: uid) ?? "the unknown user \(uid)" }

    private typealias Query = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func user(_ folder: Folder, _ query: Query) throws(Fault) -> Owner? {
        let (owner, code) = lookUp(query)
        // These mean "no such entry" in one backend or another.
        guard owner == nil, ![0, ENOENT, ESRCH].contains(code) else { return owner }
        throw Fault(
            folder: folder.name, .io,
            "the user database does not answer: \(ConfigurationFile.text(code)); see \"getent passwd\"")
    }

    private static func lookUp(_ query: Query) -> (owner: Owner?, code: Int32) {
        var size = 4096
        while true {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let code = query(&entry, buffer, size, &found)
            if code == ERANGE, size < 1 << 20 {
                size *= 2
                continue
            }
            if code == EINTR { continue }
            guard code == 0, let user = found?.pointee, let name = user.pw_name else { return (nil, code) }
            let home = user.pw_dir.map { String(cString: $0) } ?? ""
            return (
                Owner(
                    name: String(cString: name), uid: user.pw_uid, gid: user.pw_gid, home: home.isEmpty ? "/" : home),
                0
            )
        }
    }
}
