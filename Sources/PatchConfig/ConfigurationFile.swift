import Glibc

/// Reads the files of the configuration.
enum ConfigurationFile {
    /// Why a file or directory could not be read, and the way out.
    struct Failure: Error {
        let message: String
    }

    /// Whether anything has the name. What cannot be looked at counts as there.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 || errno != ENOENT
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The content; nil when there is no such file.
    ///
    /// - Throws: ``Failure`` when it is no regular file, too large or unreadable.
    static func read(_ path: String, limit: Int = YAMLReader.sizeLimit) throws(Failure) -> [UInt8]? {
        // Without blocking: opening a FIFO would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            if code == ENOENT { return nil }
            throw Failure(message: "it cannot be opened: \(text(code))")
        }
        defer { _ = close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Failure(message: "it cannot be read: \(text(errno))") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(message: "this is no regular file") }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(message: "it cannot be read: \(text(errno))")
            }
            if count == 0 { return content }
            content += buffer[..<count]
            guard content.count <= limit else {
                throw Failure(message: "it has more than \(limit >> 20) MiB, too much for a configuration")
            }
        }
    }

    /// The names in a directory, in no order; none when there is no such directory.
    ///
    /// - Throws: ``Failure`` when it is no directory or unreadable.
    static func list(_ path: String) throws(Failure) -> [String] {
        guard let directory = opendir(path) else {
            let code = errno
            if code == ENOENT { return [] }
            throw Failure(message: "it cannot be listed: \(text(code))")
        }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            names.append(name)
            errno = 0
        }
        guard errno == 0 else { throw Failure(message: "it cannot be listed: \(text(errno))") }
        return names.filter { $0 != "." && $0 != ".." }
    }

    /// The system's text for an error number.
    static func text(_ code: Int32) -> String { strerror(code).map { String(cString: $0) } ?? "error \(code)" }
}
