import Foundation
import Testing

@Suite(.bootsMachines) struct `A machine` {
    let machine: Machine

    init() throws { machine = try Machine() }

    @Test func `boots, runs commands and tells how they ended`() throws {
        try machine.boot()
        #expect(machine.bootTime < .seconds(20))
        #expect(try machine.run("systemctl is-system-running").output == "running\n")
        let outcome = try machine.run("echo out; echo err >&2; exit 3")
        #expect(outcome.code == 3)
        #expect(outcome.output == "out\n")
        #expect(outcome.errors == "err\n")
        #expect(try machine.run("kill -9 $$").code == 137)
        #expect(throws: Failure.self) { try machine.run("sleep 60", timeout: .milliseconds(200)) }
    }

    @Test func `keeps its files through a power cut`() throws {
        try machine.write("/srv/before", "written while off\n")
        try machine.boot()
        #expect(try machine.run("cat /srv/before").output == "written while off\n")
        try machine.run("sleep 1000 & touch /run/in-memory; echo on > /srv/while")
        #expect(machine.exists("/run/in-memory"))
        machine.powerCut()
        #expect(!machine.isRunning)
        #expect(!machine.exists("/run/in-memory"))
        try machine.boot()
        #expect(try machine.read("/srv/while") == "on\n")
        #expect(!machine.exists("/run/in-memory"))
        #expect(try machine.run("pgrep -x sleep").code == 1)
    }

    @Test func `starts its units at each boot, and stops them in good order`() throws {
        try machine.write(
            "/etc/systemd/system/greeter.service",
            """
            [Service]
            ExecStart=/bin/sh -c 'echo up >>/srv/greeter; exec sleep infinity'
            ExecStop=/bin/sh -c 'echo down >>/srv/greeter'
            [Install]
            WantedBy=multi-user.target

            """)
        try machine.boot()
        #expect(try machine.run("systemctl enable --now greeter").code == 0)
        try machine.until("it greets") { machine.exists("/srv/greeter") }
        try machine.reboot()
        #expect(try machine.run("systemctl is-active greeter").output == "active\n")
        machine.powerCut()
        try machine.boot()
        try machine.until("it greets again") { try machine.read("/srv/greeter") == "up\ndown\nup\nup\n" }
    }

    @Test func `shows its journal, also that of earlier boots`() throws {
        try machine.boot()
        try machine.run("printf 'MESSAGE=first\nPATCHD_FOLDER=SEED\nPATCHD_JOB=1\n' | logger --journald")
        #expect(try machine.journal(matching: ["PATCHD_FOLDER=SEED"]).map { $0["PATCHD_JOB"] } == ["1"])
        machine.powerCut()
        #expect(try machine.journal(matching: ["PATCHD_FOLDER=SEED"]).count == 1)
        try machine.boot()
        try machine.run("printf 'MESSAGE=second\nPATCHD_FOLDER=SEED\nPATCHD_JOB=2\n' | logger --journald")
        #expect(try machine.journal(matching: ["PATCHD_FOLDER=SEED"]).map { $0["MESSAGE"] } == ["first", "second"])
    }

    @Test func `waits until something holds, and tells what it waited for in vain`() throws {
        try machine.boot()
        try machine.run("(sleep 1; logger arrived) &")
        #expect(try !machine.journal().contains { $0["MESSAGE"] == "arrived" })
        try machine.until("it arrives") { try machine.journal().contains { $0["MESSAGE"] == "arrived" } }
        let failure = #expect(throws: Failure.self) {
            try machine.until("pigs fly", timeout: .milliseconds(200)) { false }
        }
        #expect(failure?.description == "waited 0.2 seconds in vain until pigs fly")
    }
}
