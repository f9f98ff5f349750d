import CLinux
import Glibc

extension File {
    /// Gives this empty file the content of another one without copying it, where the file system can share blocks.
    ///
    /// - Returns: false where it cannot.
    public func shareBlocks(of other: borrowing File) throws(FileError) -> Bool {
        if patch_share_blocks(descriptor, other.descriptor) == 0 { return true }
        guard [EOPNOTSUPP, EXDEV, EINVAL, ENOTTY, ENOSYS].contains(errno) else {
            throw FileError("share blocks with", other.path)
        }
        return false
    }
}
