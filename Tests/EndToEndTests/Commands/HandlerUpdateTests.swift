import Foundation
import Support
import Testing

@Suite struct `An endpoint with a handler` {
    let host: Installation

    init() throws { host = try Installation() }

    private func configure(_ more: String = "") throws {
        try host.configure(
            "payroll", settings: "handlers: {dat: \"\(host.root)/integrate -v {file}\"}\n\(more)")
    }

    private func program(_ text: String) throws {
        try host.write("#!/bin/sh\n\(text)\n", "integrate")
        chmod("\(host.root)/integrate", 0o755)
    }

    private func drop() throws -> Installation.Outcome {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/lib/plain.txt"] = "plain\n"
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "cp integrated seen-by-script\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once()
    }

    @Test func `hands it the files of its extension and copies the others`() throws {
        try configure()
        try program("echo \"$1 ${2##*/} $PATCHD_FOLDER $(cat \"$2\")\" >> integrated; echo \"took $PATCHD_SCRIPT\"")
        let outcome = try drop()
        #expect(outcome.code == 0, "\(outcome.errors)")
        for folder in host.folders {
            #expect(
                try host.read("srv/\(folder)/integrated")
                    == "-v a.dat \(folder) new a\n-v b.dat \(folder) new b\n-v top.dat \(folder) top\n-v bis.dat \(folder) bis\n"
            )
            #expect(try host.read("srv/\(folder)/seen-by-script").split(separator: "\n").count == 3)
            #expect(try host.read("srv/\(folder)/lib/a.dat") == "old\n")
            #expect(try host.read("srv/\(folder)/lib/plain.txt") == "plain\n")
            #expect(!host.exists("srv/\(folder)/lib/deep"))
            #expect(try host.read("state/jobs/1/traces/\(folder).log").contains("| took lib/deep/b.dat"))
        }
        // What was handed over cannot be taken back, and that is said before anything is touched.
        try host.write("{\"command\": \"rollback\", \"job\": 1}", "spool/requests/r.json")
        chmod("\(host.root)/spool/requests/r.json", 0o600)
        #expect(try host.once().code == 1)
        #expect(try host.json("state/jobs/2/job.json")["code"] as? String == "irreversible")
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.2")
    }

    @Test func `fails before anything is touched when the handler is not there`() throws {
        try configure()
        let before = try host.picture(withTimes: true)
        #expect(try drop().code == 1)
        let job = try host.json("state/jobs/1/job.json")
        #expect(job["code"] as? String == "interpreter")
        #expect((job["message"] as? String)?.contains("\(host.root)/integrate") == true)
        #expect(try host.picture(withTimes: true) == before)
    }

    @Test func `holds a folder whose handler fails, and goes on with it when the job is resumed`() throws {
        try configure()
        try program("echo \"${2##*/}\" >> integrated; test \"${2##*/}\" != b.dat || test -e \(host.root)/ready")
        #expect(try drop().code == 1)
        let job = try host.json("state/jobs/1/job.json")
        #expect(job["code"] as? String == "handler")
        #expect(
            (job["message"] as? String)?.contains("the handler of \"lib/deep/b.dat\" ended with exit code 1") == true)
        #expect(try host.json("srv/PAIE/update.lock")["phase"] as? String == "failed")
        #expect(try host.read("srv/PAIE/integrated") == "a.dat\nb.dat\n")
        try host.write("", "ready")
        try host.write("{\"command\": \"resume\", \"job\": 1}", "spool/requests/r.json")
        chmod("\(host.root)/spool/requests/r.json", 0o600)
        #expect(try host.once().code == 0)
        #expect(try host.read("srv/PAIE/integrated") == "a.dat\nb.dat\nb.dat\ntop.dat\nbis.dat\n")
    }

    @Test func `refuses an update with such files where a failure has to be undone`() throws {
        try configure("onFailure: revert\n")
        try program("true")
        #expect(try drop().code == 1)
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "irreversible")
    }
}
