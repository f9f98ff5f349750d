import Foundation
import PatchFiles
import Testing

/// A folder with a copy beside it, for root or for a user without rights.
@Suite struct `A cage` {
    let root: String
    var folder: String { root + "/srv/SEED" }
    var copy: String { root + "/srv/copy" }

    init() throws {
        root = "/tmp/patchd-cage-\(UInt64.random(in: .min ... .max))"
        for place in [folder, copy] {
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        }
        try "live\n".write(toFile: folder + "/file", atomically: false, encoding: .utf8)
        try "copy\n".write(toFile: copy + "/file", atomically: false, encoding: .utf8)
        chmod(copy, 0o777)
        chmod(copy + "/file", 0o666)
        chmod(folder, 0o777)
        chmod(folder + "/file", 0o666)
    }

    /// What a script prints that runs in the cage.
    private func run(_ script: String, as user: UserIdentity?) throws -> String {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let out = try File.open(root + "/out", O_RDWR | O_CREAT | O_APPEND)
        let empty = try File.open("/dev/null", O_RDWR)
        let child = try ChildProcess.start(
            "/bin/sh", ["sh", "-c", script], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            in: Directory.open("/"), input: empty.descriptor, output: out.descriptor, error: out.descriptor, as: user,
            in: Cage(copy: copy, place: folder))
        let exit = child.wait()
        let live = try String(contentsOfFile: folder + "/file", encoding: .utf8)
        #expect(live == "live\n", "whatever it does, the folder stays as it is")
        return String(decoding: try out.read(limit: 1 << 20), as: UTF8.self) + "\(exit)"
    }

    /// Root, and a user whose process needs a namespace of users as well.
    private static var users: [UserIdentity?] { geteuid() == 0 ? [nil, UserIdentity(uid: 65534)] : [nil] }

    @Test(arguments: users) func `shows the copy in the folder's place and writes there alone`(user: UserIdentity?)
        throws
    {
        let said = try run(
            """
            pwd; cat file; echo new > file && cat \(folder)/file
            echo x > \(root)/srv/other || echo refused
            echo x > /etc/patchd-cage-test || echo refused
            echo x > /tmp/own && cat /tmp/own; ls \(root)/srv/copy 2> /dev/null || echo hidden
            """, as: user)
        #expect(said.contains("\(folder)\ncopy\nnew\n"), "\(said)")
        #expect(said.contains("Read-only file system") || said.contains("hidden"), "\(said)")
        #expect(said.contains("refused") && said.contains("x\n") && said.hasSuffix("code(0)"), "\(said)")
        #expect(!FileManager.default.fileExists(atPath: "/etc/patchd-cage-test"))
        #expect(!FileManager.default.fileExists(atPath: root + "/srv/other"))
    }

    @Test(arguments: users) func `has no other process, no network and no socket`(user: UserIdentity?) throws {
        let said = try run(
            """
            kill -0 \(getpid()) 2> /dev/null && echo seen || echo alone
            ls /proc | grep -c '^[0-9]'; ls /run | wc -l
            python3 -c 'import socket; socket.socket(socket.AF_UNIX)' 2>&1 | tail -1
            umount \(folder) 2> /dev/null && echo unmounted; mount -o remount,rw / 2> /dev/null && echo remounted
            cat file > /dev/null; exit 7
            """, as: user)
        #expect(said.contains("alone\n") && said.contains("Permission denied"), "\(said)")
        #expect(!said.contains("unmounted") && !said.contains("remounted") && said.hasSuffix("code(7)"), "\(said)")
    }

    @Test(arguments: users) func `ends all that a program leaves behind`(user: UserIdentity?) throws {
        let seconds = UInt32.random(in: 1_000_000...9_999_999)
        let said = try run("setsid sleep \(seconds) & echo begun", as: user)
        #expect(said.contains("begun"))
        let left = RunningProcess.all().filter {
            let words = try? String(contentsOfFile: "/proc/\($0.pid)/cmdline", encoding: .utf8)
            return words?.contains("\(seconds)") == true
        }
        #expect(left.isEmpty)
    }
}
