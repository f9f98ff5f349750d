import Glibc
import PatchFiles
import PatchModel
import Supervisor
import Testing

@Suite struct `What a worker reaches besides its folder` {
    private func reach(home: String? = nil, _ change: (inout Endpoint) -> Void = { _ in }) -> WorkerReach {
        var endpoint = Endpoint(
            name: "payroll", path: "/srv/payroll",
            folders: [Folder(name: "PAIE", parent: nil, path: "/srv/payroll/PAIE")])
        change(&endpoint)
        return WorkerReach(endpoint, folder: "PAIE", home: home)
    }

    @Test func `is nothing but limits where nobody says more`() {
        let found = reach(home: "/srv/payroll")
        #expect(found.read.isEmpty && found.write.isEmpty && !found.hasNetwork)
        #expect(found.memory == nil && found.tasks == Sandbox.usualTasks)
    }

    @Test func `is the owner's home, and what the admin's commands name in other homes`() {
        let found = reach(home: "/home/payroll") {
            $0.hooks.validate = "PATH=/home/admin/bin:$PATH /home/admin/check --log='/var/log/x' </home/admin/in"
            $0.handlers = ["dat": "/usr/lib/acme/integrate {file}"]
            $0.sandbox.read = ["/tmp/.s.PGSQL.5432"]
        }
        #expect(
            found.read == [
                "/tmp/.s.PGSQL.5432", "/home/payroll", "/home/admin/bin", "/home/admin/check", "/home/admin/in",
            ])
        #expect(found.write.isEmpty && found.hasNetwork)
    }

    @Test(arguments: ["/home", "/home/", "/", "/nonexistent", "/var/lib/app", "/run/user"])
    func `is never all homes`(home: String) { #expect(reach(home: home).read.isEmpty) }

    @Test func `is what the sandbox says`() {
        let found = reach {
            $0.sandbox.write = ["/home/acme/log"]
            $0.sandbox.memory = 1 << 30
            $0.sandbox.tasks = 20
            $0.sandbox.network = true
            $0.hooks.before = "/bin/touch /home/acme/log"
        }
        #expect(found.write == ["/home/acme/log"] && found.read.isEmpty && found.hasNetwork)
        #expect(found.memory == 1 << 30 && found.tasks == 20)
    }
}

@Suite struct `A reader of an archive` {
    @Test func `that hangs is ended, also one that is stopped, and how it ended is said`() throws {
        for line in ["exec sleep 1000", "trap '' TERM; kill -STOP $$"] {
            let place = try Temporary()
            try place.write("#!/bin/sh\n\(line)\n", "reader", mode: 0o755)
            let workers = ChildWorkers(
                program: place.path + "/reader", faultPoint: nil, credentials: "", readerSeconds: 0.2)
            #expect(try workers.unpack(in: place.path, id: "one") == "it had not ended after 0 s")
            #expect(try workers.checkSignature(in: place.path, id: "one") == "it had not ended after 0 s")
        }
    }

    @Test func `gets far more time than a large archive takes, and little for a small one`() {
        let limits = Limits()
        #expect(limits.patience(archive: 0) == 120)
        #expect(limits.patience(archive: 1 << 20) < 1200)
        #expect(limits.patience(archive: 64 << 30) > 36 * 3600 && limits.patience(archive: .max).isFinite)
    }

    /// An intake's directory, that anybody may enter.
    private final class Temporary {
        let path: String

        init() throws {
            var template = Array("/tmp/patchd-reader-XXXXXX".utf8CString)
            _ = mkdtemp(&template)
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            chmod(path, 0o755)
            let own = try Directory.open(path)
            for name in ["content", "signature"] { try own.makeDirectory(name, mode: 0o755) }
            try own.makeDirectory("content/tree", mode: 0o755)
            try write("", "content/archive.zip")
            try write("{}", "limits.json")
        }

        deinit {
            let (parent, name) = Directory.split(path)
            try? Directory.open(parent ?? "/").removeTree(name)
        }

        func write(_ text: String, _ name: String, mode: UInt16 = 0o644) throws {
            let (parent, file) = Directory.split(path + "/" + name)
            try Directory.open(parent ?? "/").replaceFile(
                file, with: Array(text.utf8), mode: mode, isDurable: false)
        }
    }
}
