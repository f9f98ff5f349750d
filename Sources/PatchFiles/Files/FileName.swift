import Glibc

/// A name in a directory as the kernel has it: bytes without `/` and NUL, which need not be UTF-8.
public struct FileName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// What it consists of.
    public let bytes: [UInt8]

    /// A name from its bytes.
    public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// A name from a text.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// The name as a text; nil when it is not UTF-8.
    public var text: String? { String(validating: bytes, as: UTF8.self) }

    /// The name, or where it is not UTF-8, with each byte that is no ASCII as `%` and two hexadecimal digits.
    public var description: String {
        if let text { return text }
        return bytes.reduce(into: "") { text, byte in
            if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += digits.utf8.count < 2 ? "%0\(digits)" : "%\(digits)"
            }
        }
    }

    /// By bytes.
    public static func < (one: Self, other: Self) -> Bool { one.bytes.lexicographicallyPrecedes(other.bytes) }

    /// Whether it begins as a text does.
    public func hasPrefix(_ text: String) -> Bool { bytes.starts(with: text.utf8) }

    /// Whether it ends as a text does.
    public func hasSuffix(_ text: String) -> Bool { bytes.suffix(text.utf8.count).elementsEqual(text.utf8) }

    /// Calls `body` with the name as C has it.
    func withCString<Value>(_ body: (UnsafePointer<CChar>) -> Value) -> Value {
        (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map(body) ?? body("")
        }
    }
}

extension Directory {
    /// What lies under a name; nil when nothing does.
    public func status(_ name: FileName) throws(FileError) -> FileStatus? {
        var raw = stat()
        guard name.withCString({ fstatat(descriptor, $0, &raw, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            if errno == ENOENT { return nil }
            throw FileError("look at", "\(path)/\(name)")
        }
        return FileStatus(raw)
    }

    /// Renames over whatever is there.
    public func rename(_ name: FileName, to other: borrowing Directory, _ newName: String) throws(FileError) {
        try FaultPoint.pass("rename", "\(path)/\(name)")
        let target = other.descriptor
        guard name.withCString({ renameat(descriptor, $0, target, newName) }) == 0 else {
            throw FileError("rename \"\(path)/\(name)\" to", other.path + "/" + newName)
        }
    }
}

/// Reads a directory's names a piece at a time, so that one with hundreds of thousands holds up nobody for long. What comes
/// or goes meanwhile may be among them or not.
public struct DirectoryScan: ~Copyable, Sendable {
    nonisolated(unsafe) private let stream: OpaquePointer
    private let path: String

    /// Begins at the directory's first entry.
    public init(_ directory: borrowing Directory) throws(FileError) {
        path = directory.path
        // A descriptor of its own: a duplicate would share its position.
        let own = openat(directory.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard own >= 0 else { throw FileError("read directory", directory.path) }
        guard let stream = fdopendir(own) else {
            let error = FileError("read directory", directory.path)
            close(own)
            throw error
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    /// The next names, without `.` and `..`.
    ///
    /// - Returns: fewer than `most` only at the end.
    public mutating func next(_ most: Int) throws(FileError) -> [FileName] {
        var names: [FileName] = []
        while names.count < most {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw FileError("read directory", path) }
                return names
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in FileName(raw.prefix { $0 != 0 }) }
            if name.bytes != [0x2e], name.bytes != [0x2e, 0x2e] { names.append(name) }
        }
        return names
    }
}
