import FoundationEssentials
import Glibc

/// A directory that is removed with its last user.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/patchd-config-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SetupError(what: "mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
        let file = path + "/" + name
        if let slash = file.lastIndex(of: "/") {
            try FileManager.default.createDirectory(
                atPath: String(file[..<slash]), withIntermediateDirectories: true)
        }
        try Data(text.utf8).write(to: URL(filePath: file))
    }

    /// Makes a directory and returns its path.
    @discardableResult
    func directory(_ name: String, owner: UInt32 = 0, mode: UInt32 = 0o755) throws -> String {
        let directory = path + "/" + name
        guard mkdir(directory, 0o700) == 0, chown(directory, owner, owner) == 0, chmod(directory, mode) == 0 else {
            throw SetupError(what: directory)
        }
        return directory
    }
}

struct SetupError: Error {
    let what: String
}
