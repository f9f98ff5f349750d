import Foundation
import Glibc
import PatchFiles
import Testing

/// Each closure runs in a process of its own, which the tests' root lets go of being root first.
@Suite final class `A process that reads what strangers wrote` {
    private let place: String

    init() throws {
        place = FileManager.default.temporaryDirectory.path + "/patchd-confined-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: place + "/tree", withIntermediateDirectories: true)
        try Data("secret\n".utf8).write(to: URL(fileURLWithPath: place + "/file"))
        for path in [place, place + "/tree"] { chmod(path, 0o777) }
    }

    deinit { try? FileManager.default.removeItem(atPath: place) }

    @Test func `is never root's`() async {
        guard geteuid() == 0 else { return }
        await #expect(processExitsWith: .exitCode(17)) {
            do { try Confinement.enter(file: 1 << 20, seconds: 10) } catch { exit(17) }
        }
    }

    @Test func `makes files in its directory and has no other, and no network and no other process`() async {
        await #expect(processExitsWith: .success) { [place = place as String] in
            becomeNobody()
            let tree = try Directory.open(place + "/tree")
            try Confinement.enter(writing: tree.descriptor, file: 1 << 20, seconds: 10)
            try tree.makeDirectory("a", mode: 0o755)
            try tree.createFile("a/b").write([1, 2, 3])
            #expect(try tree.readFile("a/b") == [1, 2, 3])
            #expect(refusal(open(place + "/file", O_RDONLY)) == EACCES)
            #expect(refusal(open("/etc/passwd", O_RDONLY)) == EACCES)
            #expect(refusal(open(place + "/new", O_CREAT | O_WRONLY, 0o644)) == EACCES)
            #expect(refusal(socket(AF_INET, 1, 0)) == EPERM)
            #expect(refusal(socket(AF_UNIX, 1, 0)) == EPERM)
            var child: pid_t = 0
            var words = [strdup("/bin/true"), nil]
            #expect(posix_spawn(&child, "/bin/true", nil, nil, &words, nil) == EPERM)
            #expect(refusal(kill(getppid(), 0)) == EPERM)
            #expect(refusal(execv("/bin/true", words)) == EPERM)
            #expect(refusal(symlink("/etc", place + "/tree/link")) != 0)
        }
    }

    @Test func `is ended when it takes the memory, the time or the disk of others`() async {
        await #expect(processExitsWith: .failure) {
            becomeNobody()
            try Confinement.enter(file: 1 << 20, seconds: 10)
            for _ in 0..<40 { _ = UnsafeMutableRawPointer.allocate(byteCount: 64 << 20, alignment: 16) }
            exit(0)
        }
        await #expect(processExitsWith: .signal(SIGKILL)) {
            becomeNobody()
            try Confinement.enter(file: 1 << 20, seconds: 1)
            while true {}
        }
        await #expect(processExitsWith: .failure) { [place = place as String] in
            becomeNobody()
            let tree = try Directory.open(place + "/tree")
            try Confinement.enter(writing: tree.descriptor, file: 1 << 16, seconds: 10)
            try tree.createFile("large").write([UInt8](repeating: 0, count: 1 << 17))
        }
    }

    @Test func `may start programs where it has to, which have no network and write nothing either`() async {
        await #expect(processExitsWith: .success) { [place = place as String] in
            becomeNobody()
            try Confinement.enter(runsPrograms: true, file: 1 << 20, seconds: 10)
            func run(_ line: String) throws -> ChildProcess.Exit {
                let empty = try File.open("/dev/null", O_RDWR)
                return try ChildProcess.start(
                    "/bin/sh", ["sh", "-c", line], environment: ["PATH=/usr/bin:/bin"], in: Directory.open("/"),
                    input: empty.descriptor, output: empty.descriptor, error: empty.descriptor
                ).wait()
            }
            #expect(try run("grep -q secret \(place)/file") == .code(0))
            #expect(try run("touch \(place)/new") != .code(0))
            #expect(try run("unshare --user true") != .code(0))
            #expect(try run("perl -MSocket -e 'socket(my $s, PF_INET, SOCK_STREAM, 0) or exit 7'") == .code(7))
        }
    }
}

/// As the user that reads archives.
private func becomeNobody() {
    guard geteuid() == 0 else { return }
    setgroups(0, nil)
    setgid(65534)
    setuid(65534)
}

private func refusal(_ result: Int32) -> Int32 { result < 0 ? errno : 0 }
