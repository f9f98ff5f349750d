import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `What a file gets at its place` {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test func `is the mode asked for, else that of the file replaced, else 0644`() throws {
        try place.write("old", "a")
        chmod(place.folder + "/a", 0o640)
        try place.write("old", "b")
        chmod(place.folder + "/b", 0o640)
        try place.run(
            1,
            [
                .directory("d"), .directory("e", mode: 0o750), .directory("f", mode: 0o555), .file("a", "1"),
                .file("b", "1", mode: 0o755), .file("c", "1"), .file("d/a", "1", mode: 0o500), .file("f/a", "1"),
            ])
        let modes = ["d", "e", "f", "a", "b", "c", "d/a"].map { place.mode($0) ?? 0 }
        #expect(modes == [0o755, 0o750, 0o755, 0o640, 0o755, 0o644, 0o500], "a directory stays its owner's to write")
    }

    @Test func `is group, access control list and attributes of the file replaced`() throws {
        try place.write("old", "a")
        let path = place.folder + "/a"
        if geteuid() == 0 { chown(path, 0, getgrnam("games").pointee.gr_gid) }
        try place.run("/usr/bin/setfattr", ["-n", "user.note", "-v", "mine", path])
        try place.run("/usr/bin/setfacl", ["-m", "u:games:rw", path])
        try place.run(1, [.file("a", "new")])
        #expect(try place.run("/usr/bin/getfattr", ["-n", "user.note", "--only-values", path]) == "mine")
        #expect(try place.run("/usr/bin/getfacl", ["-cpE", path]).contains("user:games:rw-"))
        var status = stat()
        #expect(lstat(path, &status) == 0)
        if geteuid() == 0 { #expect(status.st_gid == getgrnam("games").pointee.gr_gid) }
    }

    @Test func `is warned of where it has other hard links, which keep the old content`() throws {
        try place.write("old", "a")
        #expect(link(place.folder + "/a", place.folder + "/b") == 0)
        try place.begin(1, place.plan(1, [.file("a", "new")]))
        let found = try place.survey(1)
        #expect(found.codes == [])
        #expect(found.survey?.warnings.first?.contains("2 hard links") == true)
        try place.stage(1)
        try place.apply(1)
        #expect(try place.read("b") == "old")
        try place.revert(1)
        #expect(place.inode("a") == place.inode("b"))
    }
}

@Suite(.enabled(if: geteuid() == 0, "needs root to mount")) struct `A full disk` {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.mount("ext4", at: "")
        try place.write("old", "a")
        try place.write("old", "log")
    }

    /// Takes all that is left, from root too, or leaves a megabyte.
    private func fill(leaving room: Int64 = 0) throws {
        let file = try Directory.open(place.folder).createFile("filler")
        var block = 1 << 20
        while block > 512 {
            do { try file.write([UInt8](repeating: 1, count: block)) } catch { block /= 2 }
        }
        try file.truncate(to: file.status().size - room)
        try file.sync()
    }

    @Test func `stops the staging, before anything live is touched`() throws {
        try place.begin(1, place.plan(1, [.file("a", String(repeating: "x", count: 2 << 20))]))
        #expect(try place.survey(1).codes == [])
        try fill(leaving: 1 << 20)
        let before = try place.picture()
        guard case .failed(_, .space, _) = try place.stage(1).outcome else {
            Issue.record("staged: \(try place.summary(1).outcome)")
            return
        }
        #expect(try place.picture() == before)
        #expect(!place.exists(".patchd/jobs/1/0"), "what is half there only takes room")
    }

    @Test func `stops neither a switch nor a revert of what is staged`() throws {
        try place.begin(
            1,
            place.plan(
                1, [.directory("d"), .file("a", "new"), .file("d/b", "new"), .script("8.0.2.sh", "true")],
                downgrades: [.script("8.0.2.sh", "true")]))
        try place.survey(1)
        try place.stage(1)
        try fill()
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("d/b") == "new")
        #expect(try place.revert(1).outcome == .reverted)
        #expect(try place.read("a") == "old")
    }
}
