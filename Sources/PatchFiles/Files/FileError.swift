import Glibc

/// A system call on a file failed.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kernel's error number.
    public var number: Int32
    /// What was being done: `open`, `rename` …
    public var operation: String
    /// The path of the file.
    public var path: String

    /// An error with the number of the last failed call.
    public init(_ operation: String, _ path: String, number: Int32 = errno) {
        self.number = number
        self.operation = operation
        self.path = path
    }

    /// The system's text for ``number``.
    public var reason: String { strerror(number).map { String(cString: $0) } ?? "error \(number)" }

    /// `cannot open "x": No such file or directory`.
    public var description: String { "cannot \(operation) \"\(path)\": \(reason)" }
}
