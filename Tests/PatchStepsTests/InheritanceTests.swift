import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

/// What a new file or directory gets is what the kernel would give its owner there; cp(1) and mkdir(1) are asked.
@Suite(.enabled(if: geteuid() == 0, "needs root to become another user")) struct `A new file or directory` {
    let place: Workplace
    let user: UserIdentity

    init() throws {
        place = try Workplace()
        user = try #require(UserIdentity(uid: getpwnam("games").pointee.pw_uid))
        try place.write("old", "lib/a")
        try place.makeDirectory("plain")
    }

    private func chown() throws { try place.run("/bin/chown", ["-R", "games:games", place.folder]) }

    private static let steps: [Brought] = [
        .directory("lib"), .file("lib/a", "new"), .file("lib/b", "b"), .file("lib/x", "x", mode: 0o755),
        .directory("lib/new"), .directory("lib/new/deep", mode: 0o750), .file("lib/new/deep/c", "c"),
        .directory("plain"),
        .directory("plain/new"), .file("plain/p", "p"),
    ]

    private func apply() throws {
        try place.begin(1, place.plan(1, Self.steps))
        for phase in ["survey", "stage", "apply"] { #expect(try place.start(phase, 1, as: user) == .code(0)) }
        #expect(try place.summary(1).survey?.faults == [])
        #expect(try place.summary(1).outcome == .done)
    }

    /// Mode, group and access control lists of everything in the folder.
    private func rights(of path: String) throws -> String {
        let status = try place.run("/usr/bin/stat", ["-c", "%a %U:%G", place.folder + "/" + path])
        return status + (try place.run("/usr/bin/getfacl", ["-cpE", place.folder + "/" + path]))
    }

    /// Makes, as the owner, what the update brought, with the programs that he would use.
    private func expectAsMadeByHand() throws {
        let script = """
            umask 022; cd \(place.folder)/lib && touch b.hand && install -m 644 /dev/null x.tmp && rm x.tmp
            mkdir -m 755 new.hand 2>/dev/null; rmdir new.hand; mkdir new.hand && cd new.hand && mkdir deep
            cd ../../plain && mkdir new.hand && touch p.hand
            """
        try place.run(
            "/usr/bin/setpriv", ["--reuid=games", "--regid=games", "--clear-groups", "/bin/sh", "-c", script])
        for (brought, made) in [
            ("lib/new", "lib/new.hand"), ("plain/new", "plain/new.hand"), ("plain/p", "plain/p.hand"),
        ] { #expect(try rights(of: brought) == rights(of: made), "\(brought)") }
        func group(_ path: String) throws -> String {
            try place.run("/usr/bin/stat", ["-c", "%G", "\(place.folder)/\(path)"])
        }
        for path in ["lib/a", "lib/b", "lib/x", "lib/new/deep", "lib/new/deep/c"] {
            #expect(try group(path) == group("lib/b.hand"), "\(path)")
        }
    }

    @Test(arguments: ["lib", ""]) func `gets the group of a setgid directory that its owner is no member of`(
        _ directory: String
    ) throws {
        try chown()
        let shared = place.folder + (directory.isEmpty ? "" : "/" + directory)
        try place.run("/bin/chgrp", ["-R", "www-data", shared])
        chmod(shared, 0o2770)
        if directory.isEmpty {
            try place.run("/bin/chgrp", ["-R", "games", place.folder + "/plain"])
            chmod(place.folder + "/lib", 0o2775)
        }
        try apply()
        try expectAsMadeByHand()
        #expect((place.mode("lib/new") ?? 0) & 0o2000 != 0 && (place.mode("lib/new/deep") ?? 0) & 0o2000 != 0)
        #expect((place.mode("plain/new") ?? 0) & 0o2000 == 0)
        try place.beginRollback(2, of: [1])
        for phase in ["survey", "revert"] { #expect(try place.start(phase, 2, as: user) == .code(0)) }
        #expect(try place.read("lib/a") == "old")
        #expect(!place.exists("lib/.patchd-new"))
    }

    @Test func `gets the default access control list of its directory, and nothing of the folder's`() throws {
        try chown()
        let lib = place.folder + "/lib"
        try place.run("/usr/bin/setfacl", ["-d", "-m", "u:www-data:rwX,o::---", lib])
        try place.run("/usr/bin/setfacl", ["-d", "-m", "u:daemon:rwX", place.folder])
        try apply()
        try expectAsMadeByHand()
        let own = try place.run("/usr/bin/getfacl", ["-cpE", lib + "/b"])
        #expect(own.contains("user:www-data:rw") && own.contains("other::---"))
        let plain = try place.run("/usr/bin/getfacl", ["-cpE", place.folder + "/plain/p"])
        #expect(!plain.contains("daemon"))
    }

    @Test func `is made anew after a kill at any point of its staging`() throws {
        var point = 1
        while point < 200 {
            let place = try Workplace(in: "/dev/shm")
            try place.write("old", "lib/a")
            try place.makeDirectory("plain")
            chmod(place.folder + "/lib", 0o2775)
            try place.begin(1, place.plan(1, Self.steps))
            try place.survey(1)
            try place.start("stage", 1, fault: "kill:\(point)")
            guard place.hasFired else { break }
            try place.stage(1)
            #expect(try place.apply(1).outcome == .done, "point \(point)")
            #expect(!place.exists("lib/.patchd-new"), "point \(point)")
            #expect((place.mode("lib/new") ?? 0) & 0o2000 != 0, "point \(point)")
            point += 1
        }
        #expect(point > 20)
    }
}
