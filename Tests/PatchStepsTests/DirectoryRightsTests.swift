import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

/// What would keep the switch from changing a directory is found before anything is touched.
@Suite(.enabled(if: geteuid() == 0, "needs root to make what an owner may not change")) struct `A survey` {
    let place: Workplace
    let user: UserIdentity

    init() throws {
        place = try Workplace()
        user = try #require(UserIdentity(uid: getpwnam("games").pointee.pw_uid))
    }

    private func chown() throws { try place.run("/bin/chown", ["-R", "games:games", place.folder]) }

    /// The faults of a job with these steps, as the folder's owner.
    private func faults(_ steps: [Brought]) throws -> [Fault] {
        try place.begin(1, place.plan(1, steps))
        let before = try place.picture()
        #expect(try place.start("survey", 1, as: user) == .code(0))
        #expect(try place.picture() == before, "nothing stays of what was tried")
        #expect(!place.exists(".patchd"))
        if case .failed(_, let code, let message) = try place.summary(1).outcome {
            return [Fault(folder: "SEED", code, message)]
        }
        return try #require(try place.summary(1).survey).faults
    }

    private func expect(_ faults: [Fault], _ code: FaultCode = .ownership, _ words: String...) {
        #expect(faults.map(\.code) == [code], "\(faults)")
        for word in words { #expect(faults.first?.message.contains(word) == true, "\(word) in \(faults)") }
    }

    @Test func `names the owner's own directory that nobody may write to`() throws {
        try place.write("old", "sites/default/settings")
        try chown()
        chmod(place.folder + "/sites/default", 0o555)
        expect(
            try faults([
                .directory("sites/default"), .file("sites/default/settings", "new"), .file("sites/default/b", "b"),
            ]
            ), .ownership, "sites/default", "chmod")
    }

    @Test func `names a directory of somebody else, once`() throws {
        try place.makeDirectory("theirs")
        try chown()
        Glibc.chown(place.folder + "/theirs", 0, 0)
        expect(
            try faults([.directory("theirs"), .file("theirs/a", "a"), .file("theirs/b", "b")]), .ownership, "theirs",
            "uid 0", "chown")
    }

    @Test func `names what is mounted read-only`() throws {
        try place.makeDirectory("ro")
        try FileManager.default.createDirectory(atPath: place.root + "/source", withIntermediateDirectories: true)
        try place.bind(place.root + "/source", at: "ro", readOnly: true)
        for path in [place.folder, place.root + "/source"] { Glibc.chown(path, user.uid, user.gid) }
        expect(try faults([.directory("ro"), .file("ro/a", "a")]), .ownership, "/ro is mounted read-only")
    }

    @Test(arguments: ["+i", "+a"]) func `names a directory or file with an attribute of chattr`(flag: String) throws {
        try place.mount("ext4", at: "")
        try place.write("old", "fixed/a")
        try place.write("old", "file")
        try chown()
        try place.run("/usr/bin/chattr", [flag, place.folder + "/fixed", place.folder + "/file"])
        defer {
            _ = try? place.run(
                "/usr/bin/chattr", ["-" + flag.dropFirst(), place.folder + "/fixed", place.folder + "/file"])
        }
        let found = try faults([.directory("fixed"), .file("fixed/a", "new"), .remove("fixed/b"), .file("file", "new")])
        #expect(found.map(\.code) == [.ownership, .ownership])
        #expect(found.allSatisfy { $0.message.contains("chattr -ia") })
        #expect(found.contains { $0.message.contains("/fixed") } && found.contains { $0.message.contains("\"file\"") })
    }

    @Test func `names what somebody else has in a directory where everybody may write`() throws {
        try place.write("old", "shared/theirs")
        try place.write("old", "shared/mine")
        try chown()
        for path in ["shared", "shared/theirs"] { Glibc.chown("\(place.folder)/\(path)", 0, 0) }
        chmod(place.folder + "/shared", 0o1777)
        expect(
            try faults([.directory("shared"), .file("shared/mine", "new"), .remove("shared/theirs")]), .ownership,
            "shared/theirs")
    }

    @Test func `names what it may not even read`() throws {
        try place.write("old", "conf/secret")
        try place.write("old", "key")
        try chown()
        Glibc.chown(place.folder + "/conf/secret", 0, 0)
        chmod(place.folder + "/conf/secret", 0o600)
        chmod(place.folder + "/key", 0)
        let found = try faults([.directory("conf"), .file("conf/secret", "new"), .file("key", "new", keep: true)])
        #expect(found.map(\.code) == [.ownership, .ownership])
        #expect(found.first?.message.contains("conf/secret") == true && found.first?.message.contains("chown") == true)
    }

    @Test func `names a file whose capabilities the owner could not give to the new one`() throws {
        try place.write("old", "ping")
        try place.write("old", "plain")
        try chown()
        // cap_net_raw=ep
        try place.run(
            "/usr/bin/setfattr",
            ["-n", "security.capability", "-v", "0x0100000200200000000000000000000000000000", place.folder + "/ping"])
        try place.run("/usr/bin/setfattr", ["-n", "user.note", "-v", "x", place.folder + "/plain"])
        expect(
            try faults([.file("ping", "new"), .file("plain", "new")]), .ownership, "\"ping\"", "setcap -r")
    }

    @Test func `leaves the times of the directories that it tried as they were`() throws {
        try place.write("old", "lib/a")
        try chown()
        func times() -> [Int] {
            ["", "/lib"].map { path in
                var status = stat()
                stat(place.folder + path, &status)
                return status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
            }
        }
        let before = times()
        #expect(try faults([.directory("lib"), .file("lib/a", "new"), .file("b", "b")]) == [])
        #expect(times() == before)
    }
}
