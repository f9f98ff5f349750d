import PatchFiles
import PatchModel

/// A database file that this process opens itself, as the kernel shows who else has it open.
struct FirebirdFile {
    let path: String

    /// Every other process that has it open, as far as /proc shows it to this user: all of the same user's, and whoever
    /// has a lock.
    func others() -> [Blocker] { OpenFile(path)?.others() ?? [] }
}
