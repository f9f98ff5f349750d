import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite(.enabled(if: geteuid() == 0, "needs root to become another user")) struct `A worker as the folder's owner` {
    @Test func `applies, undoes, verifies and forgets with no more than the owner's rights`() throws {
        let place = try Workplace()
        try place.write("old", "lib/a")
        try place.write("old", "gone")
        try place.write("mine", "app.ini")
        try place.run("/bin/chown", ["-R", "games:games", place.folder])
        let before = try place.picture()
        try place.begin(
            1,
            place.plan(
                1,
                [
                    .directory("lib"), .directory("closed", mode: 0o555), .file("closed/x", "x"), .file("lib/a", "new"),
                    .file("app.ini", "new", keep: true), .remove("gone"), .script("8.0.2.sh", "id -un > who"),
                ], downgrades: [.script("8.0.2.sh", "rm who")]))
        let user = try #require(UserIdentity(uid: getpwnam("games").pointee.pw_uid))
        for phase in ["survey", "stage", "apply"] { #expect(try place.start(phase, 1, as: user) == .code(0)) }
        #expect(try place.summary(1).survey?.faults == [])
        #expect(try place.summary(1).outcome == .done)
        #expect(try place.read("who") == "games\n")
        #expect(try place.read("app.ini.patchd-new") == "new")
        try place.begin(2, place.plan(2, []))
        try place.start("verify", 2, as: user)
        #expect(try place.summary(2).verified?.changed == ["app.ini"])
        try place.beginRollback(3, of: [1])
        for phase in ["survey", "revert"] { #expect(try place.start(phase, 3, as: user) == .code(0)) }
        #expect(try place.summary(3).outcome == .reverted)
        #expect(try place.picture() == before)
        try place.start("forget", 1, as: user)
        #expect(!place.exists(".patchd/jobs/1"))
    }

    /// Who can take its descriptors can write what it did.
    @Test func `keeps its open files from the owner's other processes`() throws {
        let place = try Workplace()
        try place.run("/bin/chown", ["games:games", place.folder])
        let script = "readlink /proc/$PPID/fd/1 > seen 2> why; readlink /proc/self/fd/1 > own"
        try place.begin(1, place.plan(1, [.script("8.0.2.sh", script)]))
        let user = try #require(UserIdentity(uid: getpwnam("games").pointee.pw_uid))
        for phase in ["survey", "stage", "apply"] { try place.start(phase, 1, as: user) }
        #expect(try place.summary(1).outcome == .done)
        #expect(try place.read("seen").isEmpty && place.read("own").hasSuffix("/own\n"))
    }

    @Test func `finds what it may not replace or remove before anything is touched`() throws {
        let place = try Workplace()
        try place.run("/bin/chown", ["games:games", place.folder])
        for path in ["a", "b"] { try place.write("root's", path) }
        try place.makeDirectory("d")
        try place.begin(1, place.plan(1, [.directory("d"), .file("a", "new"), .remove("b"), .file("c", "new")]))
        let user = try #require(UserIdentity(uid: getpwnam("games").pointee.pw_uid))
        try place.start("survey", 1, as: user)
        // The directory that may not be written to, both files' owner, and the group that the new file could not be given.
        #expect(try place.summary(1).codes == [.ownership, .ownership, .ownership, .ownership])
        #expect(!place.exists(".patchd"))
    }
}
