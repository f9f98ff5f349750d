import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `org.patchd1 on the system bus` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws {
        host = try Deployment()
        try machine.prepare("useradd --no-create-home --groups patchd member")
    }

    private func property(_ name: String, as user: String) throws -> Outcome {
        try machine.run(
            "runuser -u \(user) -- busctl get-property org.patchd1 /org/patchd1 org.patchd1.Manager \(name) 2>&1")
    }

    private func listen(as user: String) throws {
        try machine.run(
            "systemd-run --quiet --unit=listen-\(user) --uid=\(user) gdbus monitor --system --dest org.patchd1")
        try machine.until("\(user) listens") { try heard(by: user).contains("is owned by") }
    }

    private func heard(by user: String) throws -> String {
        try machine.run("journalctl -u listen-\(user) -o cat --no-pager").output
    }

    @Test func `shows folders to everybody and jobs to group patchd, and is given to root alone`() throws {
        try machine.boot()
        try machine.until("it is there") { try property("Folders", as: "root").code == 0 }
        for user in ["member", "nobody"] { try listen(as: user) }
        try host.drop()
        try host.until(job: 1, is: "done")
        let done = "JobChanged (uint32 1, 'payroll', 'done')"
        try machine.until("the member hears it") { try heard(by: "member").contains(done) }
        #expect(try heard(by: "member").contains("UpdateArrived ('X3V8_P2', '8.0.2', 'update.zip')"))
        let last = "FolderChanged ('payroll', 'SEEDPROD2', '8.0.2', 'current')"
        try machine.until("nobody hears that") { try heard(by: "nobody").contains(last) }
        let open = try heard(by: "nobody")
        #expect(!open.contains("JobChanged") && !open.contains("UpdateArrived"), "\(open)")
        #expect(try property("Folders", as: "nobody").output.contains("\"SEEDPROD2\" \"8.0.2\" \"current\""))
        #expect(try property("Jobs", as: "nobody").output.contains("Access denied"))
        for user in ["member", "root"] {
            #expect(try property("Jobs", as: user).output == "a(uss) 1 1 \"payroll\" \"done\"\n")
        }
        let set = "busctl set-property org.patchd1 /org/patchd1 org.patchd1.Manager Jobs s x 2>&1"
        #expect(try machine.run(set).code != 0)
        let own =
            "busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su org.patchd1 4"
        #expect(
            try machine.run("systemctl stop patchd; runuser -u nobody -- \(own) 2>&1").output.contains("Access denied"))
    }

    @Test func `is not needed, and is there again when the bus is`() throws {
        try machine.boot()
        try machine.until("it is there") { try property("Folders", as: "root").code == 0 }
        let pid = try machine.run("systemctl show -P MainPID patchd").output
        try machine.run("systemctl stop dbus.socket dbus.service")
        try host.drop()
        try host.until(job: 1, is: "done")
        try machine.run("systemctl start dbus.socket")
        try machine.until("it is there again") {
            try property("Jobs", as: "root").output == "a(uss) 1 1 \"payroll\" \"done\"\n"
        }
        #expect(try machine.run("systemctl show -P MainPID patchd").output == pid)
        let said = try machine.journal(matching: ["MESSAGE_ID=e52b8c07d1a94b6f93fe2a70d86c14b9"])
        #expect(said.count == 1, "\(said.compactMap { $0["MESSAGE"] })")
    }
}
