import Foundation
import PatchFiles
import Testing

@Suite(.serialized) struct `A watch` {
    let path = "/tmp/patchd-watch-\(UInt64.random(in: .min ... .max))"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    private func write(_ name: String) throws { try Data("x".utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)")) }

    /// The lines of this process's inotify instances, one a watch.
    private func instances() throws -> [[Substring]] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
            guard target == "anon_inode:inotify" else { return nil }
            let text = (try? String(contentsOfFile: "/proc/self/fdinfo/\(name)", encoding: .utf8)) ?? ""
            return text.split(separator: "\n").filter { $0.hasPrefix("inotify ") }
        }
    }

    @Test func `costs no inotify instance of its own, so that hundreds may be there at once`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let watches = try (0..<300).map { number in
            try write("\(number)")
            let watch = try DirectoryWatch([path])
            watch.watch(file: "\(path)/\(number)")
            return watch
        }
        #expect(try instances().count == 1)
        #expect(watches.allSatisfy { $0.problem == nil })
        try write("7")
        #expect(watches[7].wait(seconds: 10) == .changed)
        #expect(watches[8].wait(seconds: 10) == .changed, "the directory is everybody's")
        #expect(watches[9].wait(seconds: 10) == .changed)
        #expect(watches[9].wait(seconds: 0) == .timeout)
    }

    @Test func `wakes all who wait for one file, whoever reads the events`() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write("lock")
        let watches = try (0..<8).map { _ in
            let watch = try DirectoryWatch([])
            watch.watch(file: "\(path)/lock")
            return watch
        }
        let endings = await withTaskGroup(of: DirectoryWatch.Ending.self) { group in
            for watch in watches {
                group.addTask {
                    await withCheckedContinuation { done in
                        Thread { done.resume(returning: watch.wait(seconds: 30)) }.start()
                    }
                }
            }
            try? FileManager.default.removeItem(atPath: "\(path)/lock")
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(endings.count == 8 && endings.allSatisfy { $0 == .changed }, "\(endings)")
    }

    @Test func `tells a call from a change, and both from the end of its time`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let watch = try DirectoryWatch([path])
        #expect(watch.wait(seconds: 0) == .timeout)
        watch.wake()
        #expect(watch.wait(seconds: 10) == .woken)
        watch.wake()
        try write("a")
        #expect(watch.wait(seconds: 10) == .changed)
        #expect(watch.wait(seconds: 0) == .timeout, "a call that came with a change is over with it")
    }

    @Test func `knows what came by a rename`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let watch = try DirectoryWatch([path])
        for name in ["a", "b"] { try write(".\(name)") }
        rename("\(path)/.a", "\(path)/a")
        rename("\(path)/.b", "\(path)/b")
        try write("c")
        // Another watch of this process may be the one that reads the events.
        while watch.cameByRename(in: path).count < 2, watch.wait(seconds: 10) == .changed {}
        #expect(watch.cameByRename(in: path) == ["a", "b"])
        unlink("\(path)/a")
        while watch.cameByRename(in: path).contains("a"), watch.wait(seconds: 10) == .changed {}
        #expect(watch.cameByRename(in: path) == ["b"])
    }

    /// A loop of `ln update.lock x; rm update.lock` used up all watches of root's: what has another name is never gone.
    @Test func `of a file that is replaced again and again is one watch, also where the old files have other names`()
        throws
    {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let watch = try DirectoryWatch([])
        for number in 0..<50 {
            try write("lock")
            watch.watch(file: "\(path)/lock")
            link("\(path)/lock", "\(path)/other\(number)")
            unlink("\(path)/lock")
        }
        let inodes = try (0..<50).map { number in
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/other\(number)")
            return String(try #require(attributes[.systemFileNumber] as? UInt64), radix: 16)
        }
        func watched() throws -> Int {
            try instances().joined().count { line in inodes.contains { line.contains("ino:\($0) ") } }
        }
        #expect(try watched() == 1)
        watch.unwatch(file: "\(path)/lock")
        #expect(try watched() == 0)
    }

    @Test func `releases what it watched when it goes`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write("a")
        var status = stat()
        stat(path, &status)
        let inode = "ino:\(String(status.st_ino, radix: 16)) "
        func watched() throws -> Bool { try instances().joined().contains { $0.contains(inode) } }
        var watches: [DirectoryWatch] = try (0..<3).map { _ in try DirectoryWatch([path]) }
        #expect(try watched())
        watches.removeLast(2)
        try write("b")
        #expect(watches[0].wait(seconds: 10) == .changed, "what another one released is still watched for this one")
        watches = []
        #expect(try !watched())
    }
}

@Suite struct `A name` {
    @Test func `that is not UTF-8 is a name all the same, and can be shown`() throws {
        let path = "/tmp/patchd-name-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let name = FileName(Array("caf".utf8) + [0xe9] + Array("%.zip".utf8))
        close(open([0x2f] + Array(path.utf8.dropFirst()) + [0x2f] + name.bytes))
        let directory = try Directory.open(path)
        var scan = try DirectoryScan(directory)
        #expect(try scan.next(10) == [name])
        #expect(try scan.next(10) == [])
        #expect(name.text == nil && name.description == "caf%E9%25.zip" && name.hasSuffix(".zip"))
        #expect(try directory.status(name)?.kind == .file)
        try directory.rename(name, to: directory, name.description)
        #expect(try directory.names() == ["caf%E9%25.zip"])
    }

    private func open(_ path: [UInt8]) -> Int32 {
        (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { Glibc.open($0, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600) } ?? -1
        }
    }

    @Test func `is read a piece at a time where there are many`() throws {
        let path = "/tmp/patchd-names-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for number in 0..<1000 { Glibc.close(Glibc.open("\(path)/\(number)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)) }
        var scan = try DirectoryScan(try Directory.open(path))
        var names: Set<FileName> = []
        var pieces = 0
        while true {
            let piece = try scan.next(300)
            names.formUnion(piece)
            pieces += 1
            if piece.count < 300 { break }
        }
        #expect(names.count == 1000 && pieces == 4)
    }
}
