import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `The service that looks for updates` {
    private let host: Deployment
    private var machine: Machine { host.machine }
    private let keys: SigningKeys
    private static let place = "/srv/web"

    init() throws {
        host = try Deployment(settings: "approval: required\n")
        keys = try SigningKeys(in: host.machine.path("/root"))
        try keys.make("vendor")
        try machine.write("/etc/patchd/allowed_signers", "vendor@acme \(keys.line("vendor"))\n")
        try machine.write(
            "/root/web-server",
            try String(
                contentsOfFile: "\(Machine.repository)/Tests/EndToEndTests/Fixtures/web-server", encoding: .utf8),
            mode: 0o755)
        try machine.write(
            "/etc/systemd/system/web.service",
            "[Service]\nExecStart=/bin/sh -c 'sleep infinity | /root/web-server \(Self.place) /root/pem >/srv/port'\n")
        try machine.boot()
        let certificate = """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost -keyout /root/key -out /srv/crt && cat /root/key /srv/crt >/root/pem
            """
        let outcome = try machine.run(
            "mkdir -p \(Self.place) && chgrp -R patchd /etc/patchd && \(certificate) && systemctl start web patchd")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let machine = host.machine
        try machine.until("the web server has a port") { try machine.run("cat /srv/port").output.hasSuffix("\n") }
        try machine.write(
            "/etc/systemd/system/patchd-check.service.d/test.conf", "[Service]\nEnvironment=CURL_CA_BUNDLE=/srv/crt\n")
        try machine.run("systemctl daemon-reload")
        try configure("download: true")
        try publish()
    }

    private func configure(_ more: String) throws {
        let port = try machine.read("/srv/port").trimmingCharacters(in: .newlines)
        try machine.write(
            "/etc/patchd/patchd.yaml",
            "sources: [{url: \"https://localhost:\(port)/index.json\"\(more.isEmpty ? "" : ", \(more)")}]\n")
        #expect(try machine.run("systemctl reload patchd").code == 0)
    }

    private func publish(by key: String = "vendor") throws {
        let web = machine.path(Self.place)
        try machine.run("rm -f \(Self.place)/a.zip")
        try ExampleUpdate().pack(to: "\(web)/a.zip")
        try keys.sign("\(web)/a.zip", by: key)
        let sum = try machine.run("sha256sum <\(Self.place)/a.zip").output.prefix(64)
        let size = try machine.run("stat -c %s \(Self.place)/a.zip").output.trimmingCharacters(in: .newlines)
        try machine.write(
            "\(Self.place)/index.json",
            #"{"schema":1,"serial":1,"updates":[{"name":"X3V8_P2","version":"8.0.2","dependency":"8.0.1","size":\#(size),"sha256":"\#(sum)","url":"a.zip"}]}"#
        )
        try keys.sign("\(web)/index.json", by: key)
    }

    private func check() throws -> Outcome {
        try machine.run("systemctl start patchd-check; systemctl show -P ExecMainStatus patchd-check")
    }

    @Test func `brings what is new as a user who may not approve it, once`() throws {
        let outcome = try check()
        let said = try machine.run("journalctl -u patchd-check").output
        #expect(outcome.output == "0\n", "\(outcome) \(said)")
        try host.until(job: 1, is: "pendingApproval")
        let owner = try #require(try host.job(1)?["drop"] as? [String: Any])["owner"] as? Int
        #expect(try machine.run("id -u patchd-fetch").output == "\(owner ?? -1)\n")
        let approval = try machine.run(
            "runuser -u patchd-fetch -g patchd -- patchctl approve 1 2>&1 >/dev/null")
        #expect(approval.code == 4, "\(approval)")
        #expect(try host.job(1)?["state"] as? String == "pendingApproval")
        // 3: nothing is new, which is no failure of the service.
        #expect(try machine.run("systemctl start patchd-check").code == 0)
        #expect(try machine.run("systemctl is-failed patchd-check").output == "inactive\n")
        #expect(try machine.run("journalctl -u patchd-check | grep -c 'in the spool as'").output == "1\n")
        #expect(try machine.run("patchctl approve 1").code == 0)
        try host.until(job: 1, is: "done")
        #expect(try machine.run("stat -c '%a %U %G' /var/lib/patchd/sources").output == "750 patchd-fetch patchd\n")
        // Root's own call leaves nothing that the service could not use.
        #expect(try machine.run("CURL_CA_BUNDLE=/srv/crt patchctl check-updates").code == 3)
        #expect(try machine.run("find /var/lib/patchd/sources ! -user patchd-fetch").output == "")
    }

    @Test func `is off, and its timer starts it where an admin wants that`() throws {
        #expect(try machine.run("systemctl is-enabled patchd-check.timer").output == "disabled\n")
        #expect(try machine.run("systemctl is-active patchd-check.timer").output == "inactive\n")
        try machine.write(
            "/etc/systemd/system/patchd-check.timer.d/test.conf",
            "[Timer]\nOnCalendar=\nOnActiveSec=1ms\nAccuracySec=1ms\nRandomizedDelaySec=0\n")
        try machine.run("systemctl daemon-reload")
        let started = try machine.run("systemctl enable --now patchd-check.timer")
        #expect(started.code == 0, "\(started.errors)")
        try host.until(job: 1, is: "pendingApproval")
    }

    @Test func `only names what a source does not let it fetch, and fails where an index is not to be believed`() throws
    {
        try configure("")
        #expect(try check().output == "0\n")
        #expect(try machine.run("journalctl -u patchd-check -o cat").output.contains("X3V8_P2  8.0.2"))
        #expect(try host.job(1) == nil)
        try keys.make("stranger")
        try publish(by: "stranger")
        #expect(try check().output == "4\n")
        #expect(try machine.run("systemctl is-failed patchd-check").output == "failed\n")
    }
}
