import Foundation
import Support
import Testing

@Suite struct `A file's attributes` {
    private func acl(_ path: String) throws -> String {
        try Installation.run("/usr/bin/getfacl", ["-cpE", path]).output
    }

    @Test func `stay when it is replaced, and a new one gets what its directory gives`() throws {
        let host = try Installation()
        let lib = "\(host.root)/srv/SEED/lib"
        for arguments in [["-m", "u:games:rw", "\(lib)/a.dat"], ["-d", "-m", "u:games:r", lib]] {
            #expect(try Installation.run("/usr/bin/setfacl", arguments).code == 0)
        }
        #expect(try Installation.run("/usr/bin/setfattr", ["-n", "user.note", "-v", "mine", "\(lib)/a.dat"]).code == 0)
        if geteuid() == 0 {
            chown(lib, 0, getgrnam("games").pointee.gr_gid)
            chmod(lib, 0o2755)
        }
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/lib/new.dat"] = "new\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try host.read("srv/SEED/lib/a.dat") == "new a\n")
        #expect(try acl("\(lib)/a.dat").contains("user:games:rw-"))
        let note = try Installation.run("/usr/bin/getfattr", ["-n", "user.note", "--only-values", "\(lib)/a.dat"])
        #expect(note.output == "mine")
        #expect(try acl("\(lib)/new.dat").contains("user:games:r--"))
        var status = stat()
        #expect(lstat("\(lib)/new.dat", &status) == 0)
        if geteuid() == 0 { #expect(status.st_gid == getgrnam("games").pointee.gr_gid) }
        #expect(status.st_mode & 0o777 == 0o644)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root for chattr"))
    func `that make it immutable are a fault of preflight`() throws {
        let host = try Installation()
        let file = "\(host.root)/srv/SEED/lib/a.dat"
        #expect(try Installation.run("/usr/bin/chattr", ["+i", file]).code == 0)
        defer { _ = try? Installation.run("/usr/bin/chattr", ["-i", file]) }
        let before = try host.picture(withTimes: true)
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "ownership")
        #expect(try host.picture(withTimes: true) == before)
    }

    @Test func `that make it setuid are a fault of preflight`() throws {
        let host = try Installation()
        chmod("\(host.root)/srv/SEED/lib/a.dat", 0o4755)
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "ownership")
    }
}
