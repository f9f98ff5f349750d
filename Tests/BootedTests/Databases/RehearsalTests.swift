import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `A rehearsal in a worker's service` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws { host = try Deployment(settings: "rehearse: test\n") }

    /// A container hides parts of its /proc, and then nobody in it but root can have one of his own: the programs are not run
    /// at all, which is said. With a whole /proc they are.
    @Test(arguments: [false, true]) func `runs programs in their cage, or not at all`(hasWholeProc: Bool) throws {
        try machine.boot()
        if hasWholeProc { try machine.run("umount -R /proc/sys /proc/* 2>/dev/null; true") }
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = """
            set -e
            [ "$(id -un)" = payroll ]
            [ "$(pwd)" = "/srv/payroll/$PATCHD_FOLDER" ]
            touch here
            ! touch /srv/payroll/by-$PATCHD_FOLDER
            ! kill -0 \(getpid())

            """
        try host.drop(update, options: #"{"operation": "test"}"#)
        try host.until(job: 1, is: "done")
        let plan = try machine.read("/var/lib/patchd/jobs/1/plan.json")
        let ran = plan.contains("\"ok\" : true")
        let said = plan.contains("this host does not allow it to be kept apart from what is live")
        #expect(ran != said, "\(plan)")
        if hasWholeProc { #expect(ran, "\(plan)") }
        for folder in host.folders {
            #expect(!machine.exists("/srv/payroll/\(folder)/here") && !machine.exists("/srv/payroll/\(folder)/.patchd"))
        }
    }
}
