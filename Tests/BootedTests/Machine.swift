import Foundation

/// A host that belongs to one test: a systemd in a container, on an overlay of this host's root file system. The test
/// runs outside and drives it.
///
/// Make it in a suite or test with the trait `.bootsMachines`, which takes it down afterwards.
final class Machine: @unchecked Sendable {  // one test's, on one thread at a time
    /// The script that makes, boots and takes down machines.
    static let script = URL(fileURLWithPath: #filePath).appendingPathComponent("../machine.sh").standardizedFileURL.path

    /// The checkout that the tests belong to.
    static let repository = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL.path

    /// How long the last boot took, until nothing more was to be started.
    private(set) var bootTime: Duration = .zero
    /// Whether it is switched on.
    var isRunning: Bool { container?.isRunning ?? false }

    private let place: String
    private let keeper: Child
    /// The keeper takes down what it made when this end of its line is closed, also by our death.
    private let lifeline: FileHandle
    private var container: Child?
    /// The container's first process, as this host numbers it.
    private var leader: pid_t = 0

    /// Makes a machine that is switched off: this host's files, without what this host runs.
    init() throws {
        guard let machines = Machines.current else { throw Failure("a test with a Machine needs .bootsMachines") }
        guard geteuid() == 0, access("/usr/bin/systemd-nspawn", X_OK) == 0 else {
            throw Failure(
                "Machines need root and systemd-nspawn: run scripts/install-dependencies, and the tests as root.")
        }
        Machines.swept
        let line = try Child.line()
        lifeline = FileHandle(fileDescriptor: line.own, closeOnDealloc: true)
        do {
            defer { close(line.its) }
            keeper = try Child(Self.script, ["keep"], input: line.its, output: line.its)
        }
        var said = Data()
        while !said.contains(UInt8(ascii: "\n")) {
            let more = lifeline.availableData
            guard !more.isEmpty else { throw Failure("\(Self.script) keep: could not make a machine") }
            said += more
        }
        place = String(decoding: said.dropLast(), as: UTF8.self)
        machines.add(self)
    }

    // MARK: - What is on it

    /// Puts patchd in with `scripts/install`, as an admin does.
    ///
    /// The programs are those of ``programs``.
    func install() throws {
        try Command.require(
            "\(Self.repository)/scripts/install", ["\(place)/root"],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PATCHD_BIN": Self.programs])
        try installLibraries()
        try prepare("systemd-sysusers && systemd-tmpfiles --create patchd.conf && systemctl enable patchd.service")
    }

    /// Where the programs are: in `PATCHD_BIN`, else those that were built with the tests.
    static let programs = ProcessInfo.processInfo.environment["PATCHD_BIN"] ?? "\(repository)/.build/debug"

    /// Programs built for tests take Swift's libraries from the toolchain, which a caged worker cannot see.
    func installLibraries() throws {
        let names = ["patchd", "patchctl", "patchd-worker"].map { "\(Self.programs)/\($0)" }
        let libraries = try Command.require("/usr/bin/ldd", names).output.split(separator: "\n")
            .compactMap { $0.split(separator: " ").first { $0.hasPrefix("/") && $0.contains("/swift/") } }
        if !libraries.isEmpty {
            try Command.require("/bin/cp", ["-L"] + Set(libraries.map(String.init)) + [path("/usr/lib/")])
        }
    }

    /// Runs a line of shell on its files while it is off.
    func prepare(_ line: String) throws {
        guard !isRunning else { throw Failure("preparing a machine that runs: \(line)") }
        try Command.require(
            Self.script, ["prepare", place, line], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
    }

    // MARK: - On and off

    /// Switches it on and waits until it has started all that it starts.
    func boot(timeout: Duration = .seconds(60)) throws {
        guard !isRunning else { throw Failure("booting a machine that runs") }
        let clock = ContinuousClock()
        let start = clock.now
        let socket = try NotifySocket("\(place)/notify")
        let console = try consoleForAppending()
        defer { close(console) }
        let container = try Child(
            Self.script, ["boot", place],
            environment: [
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET": "\(place)/notify", "LANG": "C.UTF-8",
            ], output: console, errors: console)
        self.container = container
        while true {
            let message = socket.receive(milliseconds: 100)
            if let pid = message?["X_NSPAWN_LEADER_PID"].flatMap(pid_t.init) { leader = pid }
            if message?["READY"] == "1" { break }
            if message == nil, !container.isRunning { throw Failure("booting: the container ended\n\(consoleText)") }
            if start.duration(to: clock.now) > timeout { throw Failure("not booted in \(timeout)\n\(consoleText)") }
        }
        bootTime = start.duration(to: clock.now)
        print("machine: booted in \(bootTime.formatted(.units(allowed: [.milliseconds])))")
    }

    /// Kills everything that runs on it, at once; its files stay.
    func powerCut() {
        guard let container, isRunning else { return }
        // With the first process of its namespace all others die. Killing systemd-nspawn would leave them running.
        kill(leader > 0 ? leader : container.pid, SIGKILL)
        if !container.ended.wait(timeout: .seconds(30)) { container.signal(SIGKILL) }
        off()
    }

    /// Stops it as `systemctl poweroff` does. A service may take 90 s before systemd kills it.
    func shutdown(timeout: Duration = .seconds(120)) throws {
        guard let container, isRunning else { throw Failure("shutting down a machine that is off") }
        try run("systemctl --no-block poweroff")
        guard container.ended.wait(timeout: timeout) else {
            throw Failure("not shut down in \(timeout)\n\(consoleText)")
        }
        off()
    }

    /// Stops it in good order and switches it on again.
    func reboot() throws {
        try shutdown()
        try boot()
    }

    private func off() {
        container = nil
        leader = 0
    }

    /// Takes it down for good: processes, mounts, files.
    func takeDown() {
        powerCut()
        try? lifeline.close()
        keeper.ended.wait(timeout: .seconds(60))
    }

    // MARK: - Inside

    /// Runs a line of shell on it, as root.
    @discardableResult
    func run(_ line: String, timeout: Duration = .seconds(120)) throws -> Outcome {
        guard isRunning else { throw Failure("running \"\(line)\" on a machine that is off") }
        return try Command.run(
            "/usr/bin/nsenter",
            ["--target", "\(leader)", "--mount", "--uts", "--ipc", "--net", "--pid", "--", "/bin/sh", "-c", line],
            environment: ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8"],
            timeout: timeout)
    }

    /// Where a path of the machine is found from outside: also files in memory while it runs, those on disk always.
    func path(_ path: String) -> String { isRunning ? "/proc/\(leader)/root\(path)" : "\(place)/root\(path)" }

    /// Writes a file and the directories above it.
    func write(_ path: String, _ text: String, mode: Int = 0o644) throws {
        let place = URL(fileURLWithPath: self.path(path))
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: place)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: place.path)
    }

    /// A file's text.
    func read(_ path: String) throws -> String { try String(contentsOfFile: self.path(path), encoding: .utf8) }

    /// Whether there is something at a path.
    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: self.path(path)) }

    // MARK: - The journal

    /// The journal's entries with these fields (`PATCHD_FOLDER=SEED`), those of earlier boots too, oldest first.
    func journal(matching fields: [String] = []) throws -> [[String: String]] {
        if isRunning { try run("journalctl --sync") }
        let lines = try Command.require("/usr/bin/journalctl", journalOptions + ["--output=json", "--all"] + fields)
            .output.split(separator: "\n")
        return try lines.map { line in
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            return entry.compactMapValues(Self.text)
        }
    }

    /// A field is a string; bytes where it is not UTF-8; a list where an entry has it more than once.
    private static func text(_ value: Any) -> String? {
        if let bytes = value as? [UInt8] { return String(decoding: bytes, as: UTF8.self) }
        return value as? String ?? (value as? [Any])?.last.flatMap(text)
    }

    /// Waits until a condition holds, looking ten times a second: journald tells those who follow it only four times a
    /// second of new lines (measured), and most conditions do not show there.
    func until(_ what: String, timeout: Duration = .seconds(30), _ condition: () throws -> Bool) throws {
        let clock = ContinuousClock()
        let end = clock.now + timeout
        while true {
            if try condition() { return }
            guard clock.now < end else { throw Failure("waited \(timeout) in vain until \(what)") }
            usleep(100_000)
        }
    }

    private var journalOptions: [String] { ["--directory=\(place)/root/var/log/journal", "--quiet", "--no-pager"] }

    // MARK: - What is left of it

    /// Copies its journal, console and patchd's state to a directory of this host.
    func save(to directory: String) {
        try? FileManager.default.removeItem(atPath: directory)
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let journal = try? Command.run("/usr/bin/journalctl", journalOptions + ["--output=short-precise"])
        try? Data((journal?.output ?? "").utf8).write(to: URL(fileURLWithPath: "\(directory)/journal.txt"))
        for source in ["\(place)/console", "\(place)/root/var/lib/patchd"] where access(source, F_OK) == 0 {
            _ = try? Command.run("/bin/cp", ["-a", source, directory])
        }
        print("machine: kept in \(directory)")
    }

    private func consoleForAppending() throws -> Int32 {
        let descriptor = open("\(place)/console", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("opening \(place)/console: \(String(cString: strerror(errno)))") }
        return descriptor
    }

    private var consoleText: String { (try? String(contentsOfFile: "\(place)/console", encoding: .utf8)) ?? "" }
}
