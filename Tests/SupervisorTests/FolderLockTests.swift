import Foundation
import PatchFiles
import PatchModel
import Testing

@testable import Supervisor

@Suite struct `The lock of a folder` {
    private let path = "/dev/shm/patchd-lock-\(UInt64.random(in: .min ... .max))"

    private func lock(_ phase: UpdateLock.Phase) -> UpdateLock {
        UpdateLock(
            endpoint: "payroll", folder: "SEED", phase: phase, update: "X", from: nil, to: nil, job: 1, since: .now)
    }

    /// Whether the directory is read: 1970 is set as its time of access (and no other time, UTIME_OMIT), and the kernel sets that of
    /// the next look.
    private func wasListed(_ body: () async throws -> Void) async throws -> Bool {
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2)]
        try #require(utimensat(AT_FDCWD, path, &times, 0) == 0)
        try await body()
        var status = stat()
        try #require(stat(path, &status) == 0)
        return status.st_atim.tv_sec != 1
    }

    /// A folder with 400,000 names cost a second and 400 MB for each change of its lock.
    @Test func `is changed and removed without a look at the folder's other names`() async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for name in [".update.lock.12.tmp", "update.lock.x", "other"] {
            try Data().write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }
        let own = FolderLock(
            Folder(name: "SEED", parent: nil, path: path), thread: FolderThread(folder: "SEED", path: path),
            watch: try DirectoryWatch([]))
        own.want(lock(.updating))
        // What a kill left is looked for once.
        #expect(try await wasListed { _ = try await own.settle() })
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: path).sorted()
                == [".patchd-lock", "other", "update.lock", "update.lock.x"])
        for wanted in [lock(.failed), lock(.reverting), nil] {
            own.want(wanted)
            #expect(try await !wasListed { _ = try await own.settle() }, "\(wanted?.phase.rawValue ?? "none")")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["other", "update.lock.x"])
    }
}
