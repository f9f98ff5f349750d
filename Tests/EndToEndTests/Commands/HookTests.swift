import Foundation
import Support
import Testing

@Suite struct `An endpoint's hooks` {
    let host: Installation

    init() throws { host = try Installation() }

    private func run(
        before: String = "", validate: String = "", after: String = "", settings: String = ""
    ) throws -> Installation.Outcome {
        let hooks = [("before", before), ("validate", validate), ("after", after)].map { "\($0.0): '\($0.1)'" }
        try host.configure("payroll", settings: "\(settings)hooks: {\(hooks.joined(separator: ", "))}\n")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once()
    }

    @Test func `run in each folder: locked and old, locked and new, free`() throws {
        let say = #"echo "$PATCHD_SCRIPT $(cat lib/a.dat) $(test -e update.lock && echo locked || echo free)" >> log"#
        let outcome = try run(before: say, validate: say, after: say)
        #expect(outcome.code == 0, "\(outcome.errors)")
        for folder in host.folders {
            let lines = try host.read("srv/\(folder)/log").split(separator: "\n")
            // A child unlocks only where no ancestor is locked any more, which is so for all of them here.
            #expect(lines == ["before old locked", "validate new a locked", "after new a free"])
            let trace = try host.read("state/jobs/1/traces/\(folder).log")
            #expect(trace.contains("done    hook before") && trace.contains("done    hook after"))
        }
        let plan = try host.read("state/jobs/1/plan.json")
        #expect(plan.contains("\"hook\""))
    }

    @Test func `that fail before the first change hold the folder as it was, and go on when resumed`() throws {
        #expect(try run(before: "echo no room; test -e \(host.root)/ready").code == 1)
        let job = try host.json("state/jobs/1/job.json")
        #expect(job["code"] as? String == "hook")
        #expect((job["message"] as? String)?.contains("the hook before ended with exit code 1") == true)
        #expect(try host.read("srv/PAIE/lib/a.dat") == "old\n")
        #expect(try host.json("srv/PAIE/update.lock")["phase"] as? String == "failed")
        #expect(try host.json("srv/SEED/update.lock")["phase"] as? String == "blocked")
        #expect(try host.read("state/jobs/1/traces/PAIE.log").contains("| no room"))
        try host.write("", "ready")
        try host.write("{\"command\": \"resume\", \"job\": 1}", "spool/requests/r.json")
        chmod("\(host.root)/spool/requests/r.json", 0o600)
        #expect(try host.once().code == 0)
        #expect(try host.json("state/endpoints/payroll/SEEDPROD2.json")["version"] as? String == "8.0.2")
    }

    @Test func `that find a folder wrong have it put back where failures are reverted, without running then`() throws {
        try host.write("old\n", "srv/SEED/lib/a.dat")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "true\n"
        try host.configure(
            "payroll",
            settings: """
                onFailure: revert
                hooks:
                  before: echo before >> ../log-$PATCHD_FOLDER
                  validate: echo validate >> ../log-$PATCHD_FOLDER; test $PATCHD_FOLDER != SEED
                  after: echo after >> ../log-$PATCHD_FOLDER

                """)
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "hook")
        #expect(try host.read("srv/SEED/lib/a.dat") == "old\n")
        #expect(try host.read("srv/log-SEED") == "before\nvalidate\n")
        #expect(try host.read("srv/log-SEED2") == "before\nvalidate\nafter\n")
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.1")
    }

    @Test func `that fail when a folder is done are told of, and the job is done`() throws {
        let outcome = try run(after: "test $PATCHD_FOLDER != SEED")
        #expect(outcome.code == 0)
        #expect(try host.json("state/jobs/1/job.json")["state"] as? String == "done")
        #expect(outcome.errors.contains("warning: payroll/SEED: is done, but its hook after failed"))
        #expect(outcome.errors.components(separatedBy: "hook after failed").count == 2)
        #expect(try host.read("state/jobs/1/traces/SEED.log").contains("failed, which changes nothing"))
        #expect(!host.exists("srv/SEED/update.lock"))
    }

    @Test func `that were cut off with the daemon after the last folder was done run again`() throws {
        let command = """
            if test $PATCHD_FOLDER = SEEDPROD2 && ! test -e ../killed; then touch ../killed; \
            kill -9 $(cut -d" " -f4 /proc/$PPID/stat) $PPID; exit; fi; echo $PATCHD_ATTEMPT >> after
            """
        #expect(try run(after: command).code == 128 + SIGKILL)
        #expect(!host.exists("srv/SEEDPROD2/after"))
        #expect(try host.json("state/endpoints/payroll/SEEDPROD2.json")["version"] as? String == "8.0.2")
        #expect(try host.once().code == 0)
        #expect(try host.read("srv/SEEDPROD2/after") == "2\n")
        for folder in host.folders { #expect(host.exists("srv/\(folder)/after")) }
        #expect(try host.json("state/jobs/1/job.json")["state"] as? String == "done")
    }
}
