import Glibc
import PatchConfig
import PatchFiles

/// The user that reads a folder: its owner where this process may choose, else itself.
enum Identity {
    static func of(_ owner: Owner) throws -> UserIdentity? {
        guard geteuid() == 0 else { return nil }
        guard let user = UserIdentity(uid: owner.uid) else {
            throw Failure("the user \(owner.name) is not in the user database; create the user, or correct \"owner\"")
        }
        return user
    }
}
