import Glibc
import PatchFiles
import Testing

@Suite struct `Users and groups` {
    @Test func `are not mixed up when several threads ask at once`() async throws {
        let names = try ["daemon", "bin", "sys", "games", "nobody"].map { name in
            (name, try #require(getpwnam(name)).pointee.pw_uid, try #require(UserIdentity(named: name)))
        }
        let group = try #require(getgrnam("daemon")).pointee.gr_gid
        await withTaskGroup(of: Bool.self) { tasks in
            for (name, uid, identity) in names {
                tasks.addTask {
                    (0..<300).allSatisfy { _ in
                        UserIdentity(uid: uid) == identity && UserIdentity(named: name)?.uid == uid
                            && UserIdentity.group(named: "daemon") == group
                    }
                }
            }
            for await isRight in tasks { #expect(isRight) }
        }
        #expect(UserIdentity(named: "no such user") == nil && UserIdentity.group(named: "no such group") == nil)
    }
}
