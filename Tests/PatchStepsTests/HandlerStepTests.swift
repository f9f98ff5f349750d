import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `A file with a handler` {
    let place: Workplace

    init() throws { place = try Workplace() }

    /// Begins a job with steps and looks at the folder.
    @discardableResult
    private func begin(_ steps: [Brought], timeout: Double = 10) throws -> LedgerSummary {
        try place.begin(1, place.plan(1, steps), timeout: timeout)
        return try place.survey(1)
    }

    private func go(_ steps: [Brought], timeout: Double = 10) throws -> LedgerSummary {
        #expect(try begin(steps, timeout: timeout).codes == [])
        try place.stage(1)
        return try place.apply(1)
    }

    @Test func `is handed over under its own name, in the folder, with the environment of scripts`() throws {
        let program = try place.program(
            "integrate",
            """
            echo "got ${2##*/} with $# arguments"
            { pwd; echo "$1"; cat "$2"; env | grep ^PATCHD_ | sort; } > seen
            """)
        let summary = try go([
            .directory("DAT"), .file("DAT/a", "a"), .handed("DAT/W.dat", "content\n", to: "\(program) -i {file}"),
            .script("8.0.2.sh", "cp seen seen-by-script"),
        ])
        #expect(summary.outcome == .done)
        #expect(!place.exists("DAT/W.dat"), "it is not copied")
        #expect(
            try place.read("seen") == """
                \(place.folder)
                -i
                content
                PATCHD_ATTEMPT=1
                PATCHD_DATABASE_URL=
                PATCHD_ENDPOINT=payroll
                PATCHD_FOLDER=SEED
                PATCHD_FROM=8.0.1
                PATCHD_SCRIPT=DAT/W.dat
                PATCHD_TO=8.0.2

                """)
        #expect(try place.read("seen-by-script") == place.read("seen"))
        #expect(try place.trace(1).contains("handler DAT/W.dat: got W.dat with 2 arguments"))
        #expect(summary.finished.isSuperset(of: [2, 3]))
    }

    @Test(arguments: ["a b.dat", "$(touch x).dat", "'q\"q'.dat", "{file}.dat", "-rf.dat", "*.dat"])
    func `may have any name and stays one argument`(name: String) throws {
        let program = try place.program("integrate", "printf '%s %s' $# \"${1##*/}\" > seen")
        #expect(try go([.handed("D/\(name)", "x", to: "\(program) {file}")]).outcome == .done)
        #expect(try place.read("seen") == "1 \(name)")
        #expect(!place.exists("x"))
    }

    @Test func `stops its folder when the handler fails, and gets it again when the job is resumed`() throws {
        let program = try place.program("integrate", "cat \"$1\" >> seen; rm \"$1\"; test -e ready")
        let summary = try go([.handed("W.dat", "x", to: "\(program) {file}")])
        guard case .failed(0, .handler, let message) = summary.outcome else {
            Issue.record("\(summary.outcome)")
            return
        }
        #expect(message.contains("the handler of \"W.dat\" ended with exit code 1"))
        try place.write("", "ready")
        try place.resume(1)
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("seen") == "xx", "what the first one did to its file is not the second one's concern")
    }

    @Test func `that was handed over is never handed over again`() throws {
        let program = try place.program("integrate", "echo ran >> seen")
        let steps: [Brought] = [
            .handed("W.dat", "x", to: "\(program) {file}"), .script("8.0.2.sh", "test -e ready"),
        ]
        _ = try go(steps)
        try place.write("", "ready")
        try place.resume(1)
        #expect(try place.apply(1).outcome == .done)
        #expect(try place.read("seen") == "ran\n")
    }

    @Test func `is a fault of the preflight when its program is not there or not to be run`() throws {
        try place.write("no program", "plain")
        for program in ["/nonexistent/integrate", place.folder + "/plain", "/usr"] {
            try? FileManager.default.removeItem(atPath: place.root + "/ledger-1")
            let summary = try begin([.handed("W.dat", "x", to: "\(program) {file}")])
            #expect(summary.codes == [.interpreter])
            #expect(summary.survey?.faults.first?.message.contains(program) == true)
        }
    }

    @Test func `whose handler outlasts scriptTimeout stops its folder, and nothing of it stays behind`() throws {
        let program = try place.program("integrate", "sleep 1000 & echo $! > pid; wait")
        let summary = try go([.handed("W.dat", "x", to: "\(program) {file}")], timeout: 0.3)
        guard case .failed(0, .handler, let message) = summary.outcome else {
            Issue.record("\(summary.outcome)")
            return
        }
        #expect(message.contains("scriptTimeout"))
        let pid = try #require(Int32(place.read("pid").dropLast()))
        // The killed one may still wait to be collected by its new parent.
        let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        #expect(state?.contains(") Z ") ?? true)
    }

    @Test func `whose handler ends the worker itself is tried four times`() throws {
        let program = try place.program("integrate", "echo ran >> seen; kill -9 $PPID")
        try begin([.handed("W.dat", "x", to: "\(program) {file}")])
        try place.stage(1)
        var starts = 0
        while try place.summary(1).outcome == .unfinished || starts == 0, starts < 10 {
            try place.start("apply", 1)
            starts += 1
        }
        guard case .failed(0, .handler, let message) = try place.summary(1).outcome else {
            Issue.record("\(try place.summary(1).outcome)")
            return
        }
        #expect(message.contains("was cut off 4 times"))
        #expect(try place.read("seen") == "ran\nran\nran\nran\n")
    }

    @Test func `cannot be undone once its handler was started, and can before`() throws {
        let program = try place.program("integrate", "true")
        let handed = Brought.handed("W.dat", "x", to: "\(program) {file}")
        _ = try go([.file("a", "a"), handed])
        try place.beginRollback(2, of: [1])
        let faults = try place.survey(2).survey?.faults ?? []
        #expect(faults.map(\.code) == [.irreversible])
        #expect(faults.first?.message.contains("W.dat") == true)

        try place.begin(
            3,
            place.plan(
                3, [.file("b", "b"), .script("8.0.2.sh", "false"), handed],
                downgrades: [.script("8.0.2.sh", "true")]))
        try place.survey(3)
        try place.stage(3)
        try place.apply(3)
        try place.resume(3)
        #expect(try place.revert(3).outcome == .reverted)
        #expect(!place.exists("b"))
    }
}
