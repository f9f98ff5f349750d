import CLinux
import Glibc

/// What keeps a program from everything but a copy of a directory: it finds the copy at the directory's place, can only read
/// what else there is, and has no network, no socket and no other process to talk to. Whatever it starts ends with it, and it
/// ends with this process.
///
/// This takes namespaces (of users too, where this process is not root's), which a host or a container may not allow.
public struct Cage: Hashable, Sendable {
    /// The copy: absolute.
    public var copy: String
    /// The directory in whose place the copy is: absolute. The program works there.
    public var place: String

    /// A cage from its parts.
    public init(copy: String, place: String) {
        self.copy = copy
        self.place = place
    }

    /// Why nothing can be kept in it here; nil where something can.
    public func obstacle() -> FileError? {
        do throws(FileError) {
            let empty = try File.open("/dev/null", O_RDWR)
            let child = try ChildProcess.start(
                "/bin/true", ["true"], environment: [], in: Directory.open("/"), input: empty.descriptor,
                output: empty.descriptor, error: empty.descriptor, in: self)
            return child.wait() == .code(0) ? nil : FileError("run a program in", "a cage", number: ECHILD)
        } catch {
            return error
        }
    }

    static func with<Value>(_ cage: Cage?, _ body: (UnsafePointer<patch_cage>?) -> Value) -> Value {
        guard let cage else { return body(nil) }
        return cage.copy.withCString { copy in
            cage.place.withCString { place in
                withUnsafePointer(to: patch_cage(copy: copy, place: place, starter: getpid()), body)
            }
        }
    }
}
