import Foundation
import PatchModel
import PatchStore
import Testing

@Suite(.enabled(if: geteuid() == 0, "files of other users need root")) struct `A file with a password` {
    private let root = "/tmp/patchd-credentials-\(UInt64.random(in: .min ... .max))"
    private let nobody: uid_t = 65534

    init() throws {
        for name in ["roots", "own"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        try write("roots/file", of: 0)
        try write("own/file", of: nobody)
        #expect(chown("\(root)/own", nobody, nobody) == 0)
    }

    private func write(_ name: String, of user: uid_t) throws {
        try Data("password=x\n".utf8).write(to: URL(fileURLWithPath: "\(root)/\(name)"))
        #expect(chmod("\(root)/\(name)", 0o600) == 0 && chown("\(root)/\(name)", user, user) == 0)
    }

    private func problem(_ name: String) -> String? {
        do throws(Fault) {
            try CredentialFile.check("\(root)/\(name)", of: "SEED", "credentials", owner: "nobody", nobody)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func `is root's where only root decides which file it is, or the folder's owner's anywhere`() throws {
        #expect(problem("roots/file") == nil)
        #expect(problem("own/file") == nil)
        #expect(symlink("\(root)/own/file", "\(root)/own/link") == 0)
        #expect(problem("own/link") == nil, "his own")
        try FileManager.default.removeItem(atPath: root)
    }

    @Test func `is none of root's to which the folder's owner leads`() throws {
        #expect(symlink("\(root)/roots/file", "\(root)/own/link") == 0)
        #expect(problem("own/link")?.contains("is not nobody's own") == true)
        try write("own/roots", of: 0)
        #expect(problem("own/roots")?.contains("others may change") == true)
        #expect(symlink("\(root)/roots", "\(root)/own/directory") == 0)
        #expect(problem("own/directory/file")?.contains("others may change") == true)
        try FileManager.default.removeItem(atPath: root)
    }

    @Test func `is no FIFO, which nobody is waited for to write to`() throws {
        #expect(mkfifo("\(root)/own/fifo", 0o600) == 0 && chown("\(root)/own/fifo", nobody, nobody) == 0)
        #expect(problem("own/fifo")?.contains("no small file") == true)
        try FileManager.default.removeItem(atPath: root)
    }
}
