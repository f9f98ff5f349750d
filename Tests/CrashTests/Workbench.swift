import Foundation
import Support

/// A throw-away host for one scenario, whose folders, state and spool lie on a disk of their own. Its `patchd-worker` is a
/// shell script that starts the real one, with the disturbance that is asked for in one phase.
final class Workbench {
    static let folders = ["PAIE", "SEED", "SEED2"]

    let root: String
    let disk: Disk
    let scenario: Scenario
    /// What an undisturbed run leaves.
    private(set) var undisturbed: [String] = []
    private let programs: String

    private var host: String { "\(root)/disk" }
    private var stamp: String { "\(root)/fired/stamp" }
    /// What the last start of the daemon said.
    var output: String { (try? String(contentsOfFile: "\(root)/output", encoding: .utf8)) ?? "" }

    init(_ scenario: Scenario, on kind: Disk.Kind) throws {
        self.scenario = scenario
        // Every component above a folder has to belong to root or the owner; /tmp passes as a sticky directory.
        root = "/tmp/patchd-crash-\(UInt64.random(in: .min ... .max))"
        let build = (#filePath as NSString).deletingLastPathComponent + "/../../.build/debug"
        programs = ProcessInfo.processInfo.environment["PATCHD_BIN"] ?? (build as NSString).standardizingPath
        disk = try Disk(kind, at: "\(root)/disk")
        for name in ["etc/endpoints.d", "run", "fired", "bin"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        try Command.tool("/bin/cp", "\(programs)/patchd", "\(root)/bin/patchd")
        // By another process: what this one writes cannot be run while a child that another lane forks has it open.
        try Data(workerScript.utf8).write(to: URL(fileURLWithPath: "\(root)/bin/script"))
        chmod("\(root)/bin/script", 0o755)
        try Command.tool("/bin/cp", "\(root)/bin/script", "\(root)/bin/patchd-worker")
        let folders = Self.folders.map { name in
            "  - {name: \(name), modules: [HRM\(name == "SEED" ? ", SQL" : "")], "
                + (name == "PAIE" ? "version: 8.0.0" : "parent: PAIE")
                + (name == "SEED" ? ", database: \"sqlite:app.db\"}\n" : "}\n")
        }
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        let hooks = "hooks: {before: 'echo before >>runs', validate: 'test -e lib/a.dat', after: 'echo after >>runs'}\n"
        let handlers = "handlers: {hnd: '/bin/sh \(root)/bin/handler {file}'}\n"
        try Data(CrashUpdate.handler.utf8).write(to: URL(fileURLWithPath: "\(root)/bin/handler"))
        try Data(
            "endpoint: payroll\npath: \(host)/srv\n\(owner)grace: 1s\nonFailure: \(scenario.onFailure)\n\(hooks)\(handlers)folders:\n\(folders.joined())"
                .utf8
        ).write(to: URL(fileURLWithPath: "\(root)/etc/endpoints.d/payroll.yaml"))
        for (version, dependency) in [("8.0.1", "8.0.0"), ("8.0.2", "8.0.1")] {
            try CrashUpdate.pack(version: version, dependency: dependency, to: "\(root)/\(version).zip")
        }
        try order()
        try prepare()
        try disk.keep()
        try reset()
        try once(expecting: scenario.fails ? 1 : 0)
        undisturbed = try picture()
    }

    deinit {
        disk.remove()
        if ProcessInfo.processInfo.environment["KEEP"] == nil { try? FileManager.default.removeItem(atPath: root) }
    }

    private func prepare() throws {
        for name in ["spool/incoming", "spool/requests", "state", "srv"] {
            try FileManager.default.createDirectory(atPath: "\(host)/\(name)", withIntermediateDirectories: true)
        }
        try scenario.prepare(self)
        sync()
    }

    /// The instant before the run that is disturbed.
    func reset() throws {
        try order()
        if try !disk.restore() { try prepare() }
    }

    // MARK: What a scenario does

    func write(_ text: String, _ relative: String) throws {
        let path = "\(host)/\(relative)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// Runs SQL in the database of SEED.
    func database(_ statement: String) throws {
        try Command.tool("/usr/bin/sqlite3", "\(host)/srv/SEED/app.db", statement)
    }

    func remove(_ relative: String) throws { try FileManager.default.removeItem(atPath: "\(host)/\(relative)") }

    func drop(_ version: String, options: String? = nil) throws {
        if let options { try write(options, "spool/incoming/update.zip.json") }
        try FileManager.default.copyItem(
            atPath: "\(root)/\(version).zip", toPath: "\(host)/spool/incoming/update.zip")
    }

    func request(_ text: String, _ name: String) throws {
        try write(text, "spool/requests/.\(name)")
        chmod("\(host)/spool/requests/.\(name)", 0o600)
        try FileManager.default.moveItem(
            atPath: "\(host)/spool/requests/.\(name)", toPath: "\(host)/spool/requests/\(name)")
    }

    // MARK: Running

    private func order(_ text: String = "") throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(root)/fired") {
            try FileManager.default.removeItem(atPath: "\(root)/fired/\(name)")
        }
        // The archive's reader is nobody.
        chmod("\(root)/fired", 0o1777)
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(root)/order"))
    }

    private func start(faults: String? = nil) throws -> Command {
        let places = [
            "--config-dir", "\(root)/etc", "--spool-dir", "\(host)/spool", "--state-dir", "\(host)/state",
            "--runtime-dir", "\(root)/run", "--without-systemd",
        ]
        return try Command.start(
            ["\(root)/bin/patchd", "--once"] + places,
            environment: faults.map { ["PATCHD_FAULT_POINT": $0] } ?? [:], output: "\(root)/output")
    }

    private func end(of command: Command, orStamp: Bool = false) throws -> Int32? {
        let limit = Date().addingTimeInterval(120)
        while true {
            if let code = command.end(wait: false) { return code }
            if orStamp, frozen != nil { return nil }
            guard Date() < limit else {
                kill(command.process, SIGKILL)
                _ = command.end(wait: true)
                throw CrashError("patchd --once has not ended within two minutes:\n\(output)")
            }
            usleep(1000)
        }
    }

    /// The process that stands still where it is to be cut off.
    private var frozen: pid_t? {
        guard let line = try? String(contentsOfFile: stamp, encoding: .utf8), line.hasSuffix("\n") else { return nil }
        return line.split(separator: " ").first.flatMap { pid_t(String($0)) }
    }

    func once(expecting code: Int32) throws {
        guard let ended = try end(of: start()), ended == code else {
            throw CrashError("patchd --once did not exit with \(code):\n\(output)")
        }
    }

    /// How many fault points each target has, or how often it uses each call: strace counts each call by itself, and a
    /// folder's worker is a target of its own, because only one of them may have a database. The daemon's calls are left
    /// out, because its threads take them in another order each time.
    func count(isCall: Bool) throws -> [(target: String, call: String?, count: Int)] {
        try reset()
        try order("LIST=\(isCall ? "call" : "point")\n")
        _ = try end(of: start(faults: isCall ? nil : "patchd:list:0:\(root)/fired/patchd"))
        let targets =
            isCall
            ? scenario.phases.flatMap { phase in
                phase == "unpack" ? [phase] : Self.folders.map { "\(phase)@\($0)" }
            } : ["patchd"] + scenario.phases
        return try targets.flatMap { target in
            try counted(target, isCall: isCall).sorted { $0.key < $1.key }.map { call, count in
                (target, isCall ? call : nil, count)
            }
        }
    }

    /// By call, or in all, the most lines that one process wrote.
    private func counted(_ target: String, isCall: Bool) throws -> [String: Int] {
        var most: [String: Int] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(root)/fired")
        where name == target || name.hasPrefix("\(target).") {
            var counts: [String: [Substring: Int]] = [:]
            for line in try String(contentsOfFile: "\(root)/fired/\(name)", encoding: .utf8).split(separator: "\n") {
                let words = line.split(separator: " ", maxSplits: 1)
                guard words.count == 2, !words[1].hasPrefix("+"), !words[1].hasPrefix("-"), !words[1].hasPrefix("<")
                else { continue }
                let call = isCall ? String(words[1].drop { $0 == " " }.prefix { $0 != "(" }) : "all"
                counts[call, default: [:]][words[0], default: 0] += 1
            }
            for (call, byProcess) in counts { most[call] = max(most[call] ?? 0, byProcess.values.max() ?? 0) }
        }
        return most.filter { !isCall || Self.calls.split(separator: ",").contains(Substring($0.key)) }
    }

    /// Runs the scenario with one disturbance.
    ///
    /// - Returns: whether it came.
    func disturb(_ cut: Cut) throws -> Bool {
        let isPower = if case .power = cut.effect { true } else { false }
        var action = "kill"
        var inject = "signal=KILL"
        if case .error(let name) = cut.effect {
            action = "\(Cut.errors[name] ?? 5)"
            inject = "error=\(name)"
        } else if isPower {
            action = "stop"
        }
        let injection = "-e inject=\(cut.call ?? ""):\(inject):when=\(cut.number)"
        let isDaemon = cut.target == "patchd"
        let command: Command
        if cut.call != nil {
            try order("TARGET=\(cut.target) CALLS=\(Self.calls) INJECT='\(injection)' FREEZE=\(isPower ? "1" : "")\n")
            command = try start()
        } else {
            try order("TARGET=\(cut.target)\n")
            let program = isDaemon ? "patchd" : "patchd-worker"
            command = try start(faults: "\(program):\(action):\(cut.number):\(stamp)")
        }
        let code = try end(of: command, orStamp: isPower)
        guard case .power(let flushed) = cut.effect else { return try hasFired(cut) }
        guard try code == nil || hasFired(cut) else { return false }
        try disk.cutPower(flushed: flushed)
        if code == nil {
            kill(command.process, SIGKILL)
            _ = command.end(wait: true)
        }
        if let frozen { kill(frozen, SIGKILL) }
        try disk.restart()
        return true
    }

    private func hasFired(_ cut: Cut) throws -> Bool {
        guard cut.call != nil else { return access(stamp, F_OK) == 0 }
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(root)/fired")
        return try names.filter { $0.hasPrefix("strace") }.contains { name in
            let text = try String(contentsOfFile: "\(root)/fired/\(name)", encoding: .utf8)
            return text.contains("INJECTED") || text.contains("killed by SIGKILL")
        }
    }

    /// One start that is killed too; none when it gets through.
    func killAgain(at number: Int) throws {
        try order()
        let orders = ["patchd", "patchd-worker"].map { "\($0):kill:\(number):\(stamp)-\($0)" }
        _ = try end(of: start(faults: orders.joined(separator: ",")))
    }

    /// Starts it again undisturbed.
    ///
    /// - Returns: what is wrong; nil when everything is as after an undisturbed run.
    func recover(from cut: Cut) throws -> String? {
        try order()
        if case .error = cut.effect { return try recoverFromError() }
        let code = try end(of: start())
        // Where the job fails it may have ended before the cut.
        guard code == 0 || scenario.fails && code == 1 else {
            return "the next start did not exit as expected:\n\(output)"
        }
        return difference(try picture())
    }

    private func recoverFromError() throws -> String? {
        if let problem = try lockProblem() { return problem }
        // What failed says where; a failed job is gone on with by whoever removed the cause.
        let said = output
        _ = try end(of: start())
        // A request that could not be carried out says so, and is made again by whoever removed the cause.
        if let request = scenario.request, let answer = try answer(to: "first.json"), answer["ok"] as? Bool == false {
            let message = answer["message"] as? String ?? ""
            guard message.contains("/") else { return "the request was refused without a path: \(message)" }
            try self.request(request, "again.json")
            _ = try end(of: start())
        }
        let job = try? String(contentsOfFile: "\(host)/state/jobs/\(scenario.job)/job.json", encoding: .utf8)
        if let job, job.contains("\n  \"state\" : \"failed\""), try !isSettled() {
            if !said.contains("/") && !job.contains("/") { return "the failure names no path:\n\(said)" }
            try request("{\"command\":\"resume\",\"job\":\(scenario.job)}", "resume-error.json")
            guard try end(of: start()) == (scenario.fails ? 1 : 0) else {
                return "resume did not help:\n\(output)\nbefore:\n\(said)"
            }
        }
        return difference(try picture()).map { "\($0)\nthe failed run said:\n\(said)" }
    }

    /// Whether the job failed as it does undisturbed, and was taken back.
    private func isSettled() throws -> Bool {
        guard scenario.fails, let bytes = FileManager.default.contents(atPath: "\(host)/state/jobs/2/job.json"),
            let job = try JSONSerialization.jsonObject(with: bytes) as? [String: Any],
            let folders = job["folders"] as? [String: [String: Any]]
        else { return false }
        let states = folders.values.map { $0["state"] as? String }
        return states.contains("reverted") && !states.contains("failed")
    }

    private func answer(to request: String) throws -> [String: Any]? {
        guard let bytes = FileManager.default.contents(atPath: "\(host)/spool/requests/done/\(request)") else {
            return nil
        }
        return try JSONSerialization.jsonObject(with: bytes) as? [String: Any]
    }

    /// Whether a folder that is not as its state says is locked.
    private func lockProblem() throws -> String? {
        for folder in Self.folders {
            guard let bytes = FileManager.default.contents(atPath: "\(host)/state/endpoints/payroll/\(folder).json"),
                let state = try JSONSerialization.jsonObject(with: bytes) as? [String: Any]
            else { return "\(folder) has no state" }
            let isLocked = access("\(host)/srv/\(folder)/update.lock", F_OK) == 0
            let status = state["status"] as? String ?? ""
            if status != "current", !isLocked { return "\(folder) is \(status) and not locked" }
            let isNew = state["version"] as? String == "8.0.2"
            let file = try String(contentsOfFile: "\(host)/srv/\(folder)/lib/a.dat", encoding: .utf8)
            if status == "current", file != (isNew ? "newer two\n" : "one\n") {
                return "\(folder) is current at \(isNew ? "the new version" : "the old version") and has \(file)"
            }
        }
        return nil
    }

    private func picture() throws -> [String] { try Picture(of: host).lines }

    private func difference(_ now: [String]) -> String? {
        let missing = undisturbed.filter { !now.contains($0) }.map { "- \($0.prefix(300))" }
        let added = now.filter { !undisturbed.contains($0) }.map { "+ \($0.prefix(300))" }
        return missing.isEmpty && added.isEmpty ? nil : (missing + added).joined(separator: "\n")
    }

    // MARK: The worker's script

    /// Calls that change something. Of those that open, only the ones that create would count, which strace cannot tell;
    /// each creation in patchd is followed by fchmod(2) and is a fault point itself.
    private static let calls = [
        "write", "pwrite64", "writev", "fsync", "fdatasync", "syncfs", "rename", "renameat", "renameat2", "unlink",
        "unlinkat", "mkdir", "mkdirat", "link", "linkat", "symlinkat", "fchmod", "fchmodat", "fchown", "fchownat",
        "ftruncate", "fallocate", "fsetxattr", "copy_file_range",
    ].joined(separator: ",")

    private var workerScript: String {
        """
        #!/bin/sh
        # Starts the worker, disturbed in the phase $TARGET.
        . \(root)/order
        case $LIST$CALLS in
        point) PATCHD_FAULT_POINT=patchd-worker:list:0:\(root)/fired/$1 exec \(programs)/patchd-worker "$@" ;;
        ?*)
            # Its ledger tells whose worker it is.
            ledger=$(readlink /proc/$$/fd/1)
            self=$1@${ledger##*/}
            self=${self%@verdict.json}
            ;;
        *) self=$1 ;;
        esac
        if [ "$LIST" ]; then
            exec strace -f -qq -o \(root)/fired/$self.$$ -e trace=\(Self.calls) \(programs)/patchd-worker "$@"
        fi
        if [ "$TARGET" ] && [ "$self" != "$TARGET" ]; then unset PATCHD_FAULT_POINT; fi
        if [ -z "$CALLS" ] || [ "$self" != "$TARGET" ] || ! mkdir \(root)/fired/chosen 2>/dev/null; then
            exec \(programs)/patchd-worker "$@"
        fi
        # The shell would tell the trace how it ended.
        exec 9>&2 2>/dev/null
        (exec strace -f -qq -o \(root)/fired/strace.$$ -e trace=$CALLS $INJECT \(programs)/patchd-worker "$@" 2>&9 9>&-)
        code=$?
        if [ $code -ge 128 ]; then
            echo "$$ killed" >\(root)/fired/stamp
            if [ "$FREEZE" ]; then kill -STOP $$; fi
            kill -KILL $$
        fi
        exit $code

        """
    }
}
