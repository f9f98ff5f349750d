import Foundation
import Support
import Testing

@Suite struct `Requests` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
    }

    private func audit() throws -> [[String: Any]] {
        try host.read("state/audit.jsonl").split(separator: "\n").compactMap { line in
            try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        }
    }

    private func answer(_ name: String) -> [String: Any]? { try? host.json("spool/requests/done/\(name)") }

    @Test func `are recorded with who asked for what and what was answered, also what was dropped`() throws {
        _ = try host.ask(#"{"command":"cancel","job":7}"#)
        _ = try host.ask("{")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 0)
        _ = try host.ask(#"{"command":"baseline","target":"payroll/SEED","version":"8.0.3"}"#)
        let lines = try audit()
        #expect(lines.map { $0["command"] as? String } == ["cancel", "", "drop", "baseline"])
        #expect(lines.map { $0["code"] as? String } == ["unknownJob", "requestInvalid", "", ""])
        #expect(lines.allSatisfy { $0["uid"] as? Int == Int(geteuid()) && $0["at"] != nil && $0["message"] != nil })
        #expect(lines[0]["job"] as? Int == 7)
        #expect(lines[2]["request"] as? String == "update.zip" && lines[2]["sha256"] != nil)
        #expect(lines[3]["endpoint"] as? String == "payroll" && lines[3]["folder"] as? String == "SEED")
        var status = stat()
        #expect(stat("\(host.root)/state/audit.jsonl", &status) == 0 && status.st_mode & 0o777 == 0o640)
    }

    @Test func `are recorded behind what a power cut left of a line, and behind a damaged one`() throws {
        _ = try host.ask(#"{"command":"gc"}"#)
        let whole = try host.read("state/audit.jsonl")
        try host.write(whole + "{\"at\":\"20\0\0\0", "state/audit.jsonl")
        _ = try host.ask(#"{"command":"gc"}"#)
        let text = try host.read("state/audit.jsonl")
        #expect(text.hasPrefix(whole) && text.split(separator: "\n").count == 2 && !text.contains("\0"))
        // What an editor leaves without its last line feed is whole.
        try host.write(String(text.dropLast()), "state/audit.jsonl")
        _ = try host.ask(#"{"command":"gc"}"#)
        #expect(try audit().count == 3)
        try host.write(whole + "damaged\n", "state/audit.jsonl")
        try host.request(#"{"command":"gc"}"#, as: "g.json")
        let outcome = try host.once()
        #expect(outcome.code == 0 && outcome.errors.contains("is damaged"), "\(outcome.errors)")
        #expect(answer("g.json")?["ok"] as? Bool == true)
        #expect(try host.read("state/audit.jsonl").hasPrefix(whole + "damaged\n{"))
        #expect(try audit().count == 2)
    }

    @Test(arguments: [
        #"{"command":"fly"}"#, #"{"command":"cancel","job":1,"to":"8.0.1"}"#, #"{"command":"cancel"}"#, "[]", "",
        #"{"job":1}"#, #"{"command":"decline","job":"1"}"#, #"{"command":"approve","job":1,"sha":"x"}"#,
        #"{"command":"gc","command":"gc"}"#,
    ]) func `that are not understood are told so`(text: String) throws {
        let answer = try host.ask(text)
        #expect(answer["ok"] as? Bool == false && answer["code"] as? String == "requestInvalid", "\(answer)")
    }

    @Test func `that are no plain file of one link neither stop the daemon nor are read`() throws {
        let place = "\(host.root)/spool/requests"
        try host.write(#"{"command":"gc"}"#, "own")
        #expect(mkfifo("\(place)/fifo.json", 0o600) == 0)
        #expect(symlink("\(host.root)/own", "\(place)/link.json") == 0)
        #expect(link("\(host.root)/own", "\(place)/hard.json") == 0)
        #expect(mkdir("\(place)/empty.json", 0o755) == 0)
        try host.write("x", "spool/requests/full.json/x")
        try host.request(#"{"command":"gc"}"#, as: "open.json")
        #expect(chmod("\(place)/open.json", 0o662) == 0)
        try host.request(String(repeating: " ", count: 70_000), as: "large.json")
        try host.request("{}", as: String(repeating: "a", count: 250) + ".json")
        try host.request(#"{"command":"gc"}"#, as: "good.json")
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(answer("good.json")?["ok"] as? Bool == true)
        for name in ["fifo", "link", "hard", "empty", "full", "open", "large"] {
            #expect(answer("\(name).json")?["code"] as? String == "requestInvalid", "\(name)")
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: place).filter { !$0.hasPrefix(".") }
        #expect(left == ["done"])
        #expect(try host.read("own") == #"{"command":"gc"}"#)
    }

    @Test(.enabled(if: geteuid() == 0)) func `are for root and the members of the group approvers`() throws {
        func ask(as name: String) throws -> String? {
            try host.request(#"{"command":"gc"}"#, as: "\(name).json")
            #expect(chown("\(host.root)/spool/requests/\(name).json", 65534, 65534) == 0)
            #expect(try host.once().code == 0)
            return answer("\(name).json")?["code"] as? String
        }
        #expect(try ask(as: "first") == "notPermitted")
        let message = try #require(answer("first.json")?["message"] as? String)
        #expect(message.contains("adduser nobody patchd"), "\(message)")
        #expect(try audit().last?["user"] as? String == "nobody")
        try host.write("approvers: nogroup\n", "etc/patchd.yaml")
        #expect(try ask(as: "second") == "")
    }

    @Test func `and drops with names too long for what goes beside them hold up no others`() throws {
        let long = String(repeating: "a", count: 250) + ".zip"
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/\(long)")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/good.zip")
        #expect(try host.once().code == 1)
        #expect(try host.job(1)["state"] as? String == "done")
        let short = String(repeating: "a", count: 64) + ".zip"
        #expect(try host.json("spool/rejected/\(short).reason.json")["code"] as? String == "limitExceeded")
        #expect(host.exists("spool/rejected/\(short)"))
    }

    /// One that had been listed half written and was complete when its turn came was refused as one that is changed.
    @Test func `that are written in place while others are answered are answered as well`() throws {
        let host = try Installation()
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("ready") { daemon.errors.contains("ready") })
        for number in 1...300 {
            let file = open("\(host.root)/spool/requests/\(number).json", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            for part in [#"{"command":"#, #""resume","#, #""job":99}"#] { write(file, part, part.utf8.count) }
            close(file)
        }
        #expect(host.until("all are answered") { host.exists("spool/requests/done/300.json") }, "\(daemon.errors)")
        let codes = try (1...300).map { try host.json("spool/requests/done/\($0).json")["code"] as? String }
        #expect(Set(codes) == ["unknownJob"])
    }

    @Test func `and their answers go after a day`() throws {
        _ = try host.ask(#"{"command":"gc"}"#)
        let place = "\(host.root)/spool/requests/done"
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: place).first)
        try host.once()
        #expect(host.exists("spool/requests/done/\(name)"))
        let old = [FileAttributeKey.modificationDate: Date().addingTimeInterval(-86500)]
        try FileManager.default.setAttributes(old, ofItemAtPath: "\(place)/\(name)")
        try host.once()
        #expect(!host.exists("spool/requests/done/\(name)"))
    }
}
