import Foundation
import Support
import Testing

/// `examples/notify`, and what they are told.
@Suite struct `The samples for notify` {
    private static let samples = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../../../examples/notify").standardizedFileURL.path

    let host: Installation

    init() throws {
        host = try Installation(settings: "approval: required\n")
        try FileManager.default.createDirectory(atPath: "\(host.root)/bin", withIntermediateDirectories: true)
    }

    /// Puts a program before those of the host.
    private func provide(_ name: String, _ text: String) throws {
        try host.write("#!/bin/sh\n\(text)\n", "bin/\(name)")
        chmod("\(host.root)/bin/\(name)", 0o755)
    }

    private func notify(_ command: String) throws {
        try host.write("notify: \"PATH=\(host.root)/bin:$PATH; \(command)\"\n", "etc/patchd.yaml")
    }

    /// One update that waits for approval and is done then, and an archive that is refused.
    private func updates() throws {
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 6)
        try host.write("no archive", "spool/incoming/bad.zip")
        #expect(try host.ask(#"{"command":"approve","job":1}"#)["ok"] as? Bool == true)
    }

    @Test func `are told what the schema says, which takes nothing else`() throws {
        try notify("cat >> \(host.root)/told")
        try updates()
        var update = ExampleUpdate()
        update.version = "8.0.3"
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.3.sh"] = "exit 1\n"
        try host.configure("payroll")
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        var texts = try host.read("told").split(separator: "\n").map(String.init)
        #expect(texts.count == 4, "\(texts)")
        texts.append(
            #"{"schema":1,"event":"unitNotUp","at":"2026-11-21T10:15:00Z","endpoint":"payroll","operation":"","folder":"","#
                + #""update":"","version":"","signer":"","state":"","code":"unit","message":"a.service"}"#)
        let problems = try Schemas.problems(in: texts.map { ("event", $0) })
        for (text, problem) in zip(texts, problems) { #expect(problem.isEmpty, "\(problem): \(text)") }
        let bad = [("done", "finished"), ("\"job\":1,", ""), ("payroll", "pay/roll"), ("\"schema\":1", "\"schema\":2")]
        let done = try #require(texts.first { $0.contains(#""event":"done""#) })
        #expect(try Schemas.taken(bad.map { ("event", done.replacingOccurrences(of: $0.0, with: $0.1)) }) == [])
        let refused = try #require(texts.first { $0.contains(#""event":"refused""#) })
        let withJob = refused.replacingOccurrences(of: "{\"", with: "{\"job\":1,\"")
        #expect(try Schemas.taken([("event", withJob)]) == [])
    }

    @Test func `mail, by the host's sendmail`() throws {
        try provide("sendmail", "echo \"called with $*\" >> \(host.root)/mails; cat >> \(host.root)/mails")
        try notify("\(Self.samples)/mail operators@example.org")
        try updates()
        let mails = try host.read("mails")
        #expect(mails.components(separatedBy: "called with -oi -t\n").count == 4, "\(mails)")
        #expect(mails.components(separatedBy: "\nTo: operators@example.org\n").count == 4)
        #expect(mails.contains(": pendingApproval: X3V8_P2 8.0.2 on payroll\n"))
        #expect(mails.contains("\nLet it:            patchctl approve 1\n"))
        #expect(mails.contains(": refused: bad.zip\n") && mails.contains("patchctl explain archiveMalformed"))
    }

    @Test func `mail no header that a file's name brings along`() throws {
        try provide("sendmail", "cat > \(host.root)/mail")
        let name = "x\\nBcc: everybody@example.org\\n\\nhello.zip"
        try host.write(
            #"{"schema":1,"event":"refused","at":"2026-11-21T10:15:00Z","endpoint":"","operation":"","folder":"","update":"\#(name)","#
                + #""version":"","signer":"","state":"","code":"notAFile","message":"\#(name)"}"#, "event")
        let sent = try Installation.run(
            "/bin/sh", ["-c", "PATH=\(host.root)/bin:$PATH; \(Self.samples)/mail a@example.org < \(host.root)/event"])
        #expect(sent.code == 0, "\(sent)")
        let head = try host.read("mail").components(separatedBy: "\n\n")[0]
        #expect(!head.split(separator: "\n").contains { $0.hasPrefix("Bcc") }, "\(head)")
    }

    @Test func `post to a chat, by curl and from a file that nobody else reads`() throws {
        let chat = try RunningProgram(
            "/usr/bin/python3",
            [
                "-u", "-c",
                """
                import http.server, json
                class Chat(http.server.BaseHTTPRequestHandler):
                    def do_POST(self):
                        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                        print(self.path, self.headers["Content-Type"], json.dumps(body))
                        self.send_response(200 if self.path == "/hooks/secret" else 404)
                        self.end_headers()
                    def log_message(self, *words): pass
                server = http.server.HTTPServer(("127.0.0.1", 0), Chat)
                print(server.server_port)
                server.serve_forever()
                """,
            ])
        #expect(host.until("listens") { chat.output.hasSuffix("\n") }, "\(chat.errors)")
        let port = chat.output.prefix { $0 != "\n" }
        try host.write("url = \"http://127.0.0.1:\(port)/hooks/secret\"\n", "etc/chat.curl")
        try notify("\(Self.samples)/chat \(host.root)/etc/chat.curl")
        try updates()
        let posts = chat.output.split(separator: "\n").dropFirst()
        #expect(posts.count == 3 && posts.allSatisfy { $0.hasPrefix("/hooks/secret application/json {\"text\": ") })
        #expect(posts.contains { $0.contains("done: X3V8_P2 8.0.2 on payroll (job 1)") }, "\(posts)")
        try host.write("url = \"http://127.0.0.1:\(port)/elsewhere\"\n", "etc/chat.curl")
        try host.write("no archive", "spool/incoming/bad.zip")
        #expect(try host.once().errors.contains("notify of refused: the command ended badly"))
    }

    @Test func `start a unit of the endpoint when an update is done`() throws {
        // A systemd to ask is in BootedTests; this is what it is asked.
        try provide("systemctl", "echo \"$*\" >> \(host.root)/asked")
        try notify("\(Self.samples)/start-unit after-update")
        try updates()
        #expect(try host.read("asked") == "--no-block start after-update@payroll.service\n")
    }
}
