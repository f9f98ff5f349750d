import Foundation
import PatchFiles
import PatchJSON
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `What a script prints` {
    let place: Workplace

    init() throws { place = try Workplace() }

    private func run(_ text: String, limit: Int = 16 << 20) throws -> LedgerSummary {
        try place.begin(1, place.plan(1, [.script("8.0.2.sh", text)]), output: limit)
        try place.survey(1)
        try place.stage(1)
        return try place.apply(1)
    }

    /// The lines of output in the trace.
    private func lines() throws -> [String] {
        let text = try String(contentsOfFile: "\(place.root)/trace-1", encoding: .utf8)
        var lines: [String] = []
        for line in text.split(separator: "\n") {
            let event = try JSONText.read(TraceEvent.self, Array(line.utf8))
            guard event.event == .output else { continue }
            lines += event.text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        }
        return lines
    }

    @Test func `is kept whole up to the limit, each line once and in order`() throws {
        #expect(try run("seq 1 5000").outcome == .done)
        #expect(try lines() == (1...5000).map(String.init))
    }

    @Test func `is kept at its beginning and its end beyond the limit, with the bytes left out between`() throws {
        #expect(try run("seq 1 200000", limit: 10000).outcome == .done)
        let lines = try lines()
        #expect(lines.prefix(3) == ["1", "2", "3"] && lines.suffix(2) == ["199999", "200000"])
        let gap = try #require(lines.firstIndex { $0.contains("bytes left out") })
        let left = try #require(Int(lines[gap].split(separator: " ")[1]))
        var kept = 0
        for (index, line) in lines.enumerated() where index != gap { kept += line.utf8.count + 1 }
        #expect(kept <= 10000 && kept > 9900)
        var printed = 0
        for number in 1...200000 { printed += "\(number)".utf8.count + 1 }
        #expect(kept + left == printed)
    }

    @Test func `without line feeds, or without text, is kept too`() throws {
        #expect(try run("head -c 300000 /dev/zero | tr '\\0' x; printf '\\377\\n' >&2").outcome == .done)
        let text = try lines().joined()
        #expect(text.utf8.count { $0 == UInt8(ascii: "x") } == 300000)
    }

    @Test func `in lines that are longer than an event is kept, and so is what shares one`() throws {
        let text =
            "seq 1 1100; head -c 60000 /dev/zero | tr '\\0' x; echo; head -c 60000 /dev/zero | tr '\\0' '\\377'; "
            + "seq 1 20000"
        #expect(try run(text).outcome == .done)
        let all = try lines()
        #expect(all.joined().utf8.count { $0 == UInt8(ascii: "x") } == 60000)
        #expect(all.joined().unicodeScalars.count { $0 == "\u{FFFD}" } == 60000)
        #expect(Array(all.suffix(19999)) == (2...20000).map(String.init))
    }

    @Test func `never decides whether it succeeded`() throws {
        #expect(try run("echo trouble >&2; yes | head -c 3000000; exit 0", limit: 1000).outcome == .done)
    }

    @Test func `by somebody whom it left behind delays nothing`() throws {
        #expect(try run("setsid yes & echo $! > pid; exit 0", limit: 1000).outcome == .done)
        if let pid = Int32(try place.read("pid").dropLast()) { kill(pid, SIGKILL) }
    }

    @Test func `without an end does not outlast scriptTimeout`() throws {
        try place.begin(1, place.plan(1, [.script("8.0.2.sh", "yes")]), timeout: 0.5, output: 1000)
        try place.survey(1)
        try place.stage(1)
        guard case .failed(0, .script, let message) = try place.apply(1).outcome else {
            Issue.record("\(try place.summary(1).outcome)")
            return
        }
        #expect(message.contains("scriptTimeout"))
    }

    @Test func `as its last line of stderr stands in the message when it fails`() throws {
        let summary = try run("echo first >&2; echo 'disk on fire' >&2; echo; echo said; printf '\\n \\n' >&2; exit 3")
        guard case .failed(0, .script, let message) = summary.outcome else {
            Issue.record("\(summary.outcome)")
            return
        }
        #expect(message.contains("exit code 3: disk on fire;"))
    }
}

@Suite struct `A worker that is told to stop` {
    let place: Workplace

    init() throws { place = try Workplace() }

    /// Works until the folder has a file `stop`, which stands for the signal.
    private func workUntilStopped(
        grace: Double,
        _ phase: (inout FolderWork) throws(WorkerError) -> Void = { (work) throws(WorkerError) in try work.apply() }
    ) throws -> LedgerSummary {
        let stop = place.folder + "/stop"
        var work = try FolderWork(
            order: place.order(1), tree: Directory.open("\(place.root)/trees/1"), ledger: place.ledgerFile(1),
            trace: Directory.open(place.root).appendingFile("trace-1"), stopGrace: grace,
            shouldStop: { access(stop, F_OK) == 0 })
        try phase(&work)
        return try place.summary(1)
    }

    private func begin(_ steps: [Brought]) throws {
        try place.begin(1, place.plan(1, steps), timeout: 1000)
        #expect(try place.survey(1).codes == [])
        try place.stage(1)
    }

    @Test func `ends its file step, and does the rest later`() throws {
        try begin([.script("8.0.2~a.sh", "touch stop"), .file("a", "a"), .script("8.0.2.sh", "touch ran")])
        #expect(try workUntilStopped(grace: 100).outcome == .unfinished)
        #expect(!place.exists("a"))
        try place.remove("stop")
        #expect(try place.apply(1).outcome == .done)
        #expect(place.exists("a") && place.exists("ran"))
    }

    @Test func `gives a script time to end, and records that it did`() throws {
        try begin([.script("8.0.2.sh", "touch stop; sleep 0.3; echo ran >> ran"), .file("a", "a")])
        let summary = try workUntilStopped(grace: 100)
        #expect(summary.finished == [0] && summary.outcome == .unfinished)
        try place.remove("stop")
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("ran") == "ran\n")
    }

    @Test func `ends a script that takes longer, as often as it likes, without counting it as cut off`() throws {
        try begin([.script("8.0.2.sh", "echo $PATCHD_ATTEMPT >> ran; test -e ready && exit 0; touch stop; sleep 1000")])
        for _ in 1...6 {
            let summary = try workUntilStopped(grace: 0.1)
            #expect(summary.outcome == .unfinished && summary.finished.isEmpty)
            try place.remove("stop")
        }
        try place.write("", "ready")
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("ran") == String(repeating: "1\n", count: 7))
    }

    @Test func `leaves a folder done whose last hook it ends, and runs that again`() throws {
        try begin([.file("a", "a"), .hook(.after, "test -e ready || { touch stop; sleep 1000; }")])
        #expect(try place.apply(1).outcome == .done)
        let summary = try workUntilStopped(grace: 0.1) { (work) throws(WorkerError) in try work.finish() }
        #expect(summary.outcome == .done && !summary.finished.contains(1) && summary.warnings.isEmpty)
        try place.remove("stop")
        try place.write("", "ready")
        #expect(try place.finish(1).finished.contains(1))
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to become another user"))
    func `keeps its descriptors from the folder's owner, who is the same user`() throws {
        try place.run("/bin/chown", ["games:games", place.folder])
        try begin([.script("8.0.2.sh", "stat -c %u /proc/$PPID/fd > owner; ls /proc/$PPID/fd > fds 2>/dev/null; true")])
        try place.run("/bin/chown", ["-R", "games:games", place.folder])
        let user = try #require(UserIdentity(uid: getpwnam("games").pointee.pw_uid))
        #expect(try place.start("apply", 1, as: user) == .code(0))
        #expect(try place.summary(1).outcome == .done)
        #expect(try place.read("owner") == "0\n" && place.read("fds") == "")
    }
}
