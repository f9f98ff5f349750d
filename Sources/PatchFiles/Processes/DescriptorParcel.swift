import CLinux
import Glibc

/// Open files on their way to a program, through a socket that becomes its standard input: systemd passes three descriptors
/// to a service, and a worker needs four. What was packed can be unpacked after the sender has ended.
public enum DescriptorParcel {
    /// A socket that holds copies of the descriptors.
    public static func pack(_ descriptors: [Int32]) throws(FileError) -> File {
        let socket = patch_pack_descriptors(descriptors, Int32(descriptors.count))
        guard socket >= 0 else { throw FileError("send open files through", "a socket") }
        return File(adopting: socket, path: "descriptors for a worker")
    }

    /// Takes the descriptors out of a socket. They are the caller's to close.
    ///
    /// - Throws: also when there are not as many (`EBADMSG`).
    public static func unpack(_ socket: Int32, count: Int) throws(FileError) -> [Int32] {
        var descriptors = [Int32](repeating: -1, count: count)
        guard patch_unpack_descriptors(socket, &descriptors, Int32(count)) == 0 else {
            throw FileError("receive open files from", "standard input")
        }
        return descriptors
    }
}
