import Foundation
import PatchFiles
import Testing

@Suite struct `A directory` {
    let path = "/tmp/patchd-directory-\(UInt64.random(in: .min ... .max))"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    private func errno(_ body: () throws -> Void) -> Int32? {
        do { try body() } catch { return (error as? FileError)?.number }
        return nil
    }

    @Test func `is never left through a link or dots`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        symlink("/etc", path + "/out")
        mkdir(path + "/in", 0o755)
        symlink("in", path + "/inside")
        let directory = try Directory.open(path)
        #expect(errno { _ = try directory.file("out/passwd").descriptor } == ELOOP)
        #expect(errno { _ = try directory.file("../\(path.dropFirst(5))/in").descriptor } == EXDEV)
        #expect(errno { _ = try directory.file("/etc/passwd").descriptor } == EXDEV)
        #expect(errno { _ = try directory.directory("inside").descriptor } == ELOOP)
        #expect(errno { _ = try directory.status("out/passwd") } == ELOOP)
        #expect(try directory.status("out")?.kind == .link)
    }

    @Test func `replaces a file as a whole, with the mode asked for, and leaves no temporary one`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        umask(0o077)
        defer { umask(0o022) }
        let directory = try Directory.open(path)
        try directory.replaceFile("a", with: Array("one".utf8), mode: 0o644)
        try directory.replaceFile("a", with: Array("two".utf8), mode: 0o644)
        #expect(try directory.readFile("a") == Array("two".utf8))
        #expect(try directory.status("a")?.mode == 0o644)
        #expect(try directory.names() == ["a"])
    }

    @Test func `exchanges a file with a directory in one step`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try Directory.open(path)
        try directory.replaceFile("a", with: [1])
        try directory.makeDirectory("b")
        try directory.exchange("a", with: directory, "b")
        #expect(try directory.status("a")?.kind == .directory)
        #expect(try directory.status("b")?.kind == .file)
    }

    @Test func `does not rename over a file that must be new`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try Directory.open(path)
        try directory.replaceFile("a", with: [1])
        try directory.replaceFile("b", with: [2])
        #expect(errno { try directory.renameNew("a", to: directory, "b") } == EEXIST)
    }

    @Test func `removes a tree without following a link out of it`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try Directory.open(path)
        try directory.replaceFile("kept", with: [1])
        let inside = try directory.ensureDirectory("tree")
        symlink("..", path + "/tree/up")
        try inside.replaceFile("file", with: [1])
        try directory.removeTree("tree")
        #expect(try directory.names() == ["kept"])
    }

    @Test func `refuses to read more than it was told, and tells a missing file from an unreadable one`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try Directory.open(path)
        try directory.replaceFile("a", with: [UInt8](repeating: 1, count: 100))
        #expect(errno { _ = try directory.readFile("a", limit: 99) } == EFBIG)
        #expect(try directory.readFile("missing") == nil)
        #expect(errno { _ = try directory.readFile("a/b") } == ENOTDIR)
    }

    @Test func `copies while hashing what sha256sum hashes`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try Directory.open(path)
        try directory.replaceFile("a", with: Array("abc".utf8))
        let copy = try directory.createFile("b")
        let sum = try directory.file("a").copy(to: copy)
        // FIPS 180-4's own example.
        #expect(sum == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(try directory.readFile("b") == Array("abc".utf8))
    }

    @Test func `lists the names of one kind without the others`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        for name in [".a.tmp", ".a.tm", "a.tmp", ".tmp", "b"] {
            try Data().write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }
        let directory = try Directory.open(path)
        #expect(try directory.names(from: ".", to: ".tmp") == [".a.tmp", ".tmp"])
        #expect(try directory.names(from: ".a") == [".a.tm", ".a.tmp"])
        #expect(try directory.names(from: "none") == [])
        #expect(try directory.names().count == 5)
    }
}
