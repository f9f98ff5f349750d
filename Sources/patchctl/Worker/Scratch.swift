import Glibc
import PatchFiles

/// A temporary directory that goes when the value ends.
struct Scratch: ~Copyable {
    let path: String
    let directory: Directory

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((parent + "/patchctl-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure(FileError("create a temporary directory in", parent).description)
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let directory = try Directory.open(path)
        self.path = path
        self.directory = directory
    }

    deinit {
        let (parent, name) = Directory.split(path)
        guard let above = try? Directory.open(parent ?? "/") else { return }
        try? above.removeTree(name)
    }
}
