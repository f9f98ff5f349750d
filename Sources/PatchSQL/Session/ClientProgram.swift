import Glibc
import PatchFiles
import PatchModel

/// A program of a database's own, such as its dump, run to its end beside the session. What it needs to log in goes through
/// its standard input or its environment, never through its arguments, which everybody on the host can read.
struct ClientProgram {
    /// With the program first; looked for where Debian has programs.
    var command: [String]
    /// `NAME=value`, besides what every program needs.
    var environment: [String] = []
    /// The Debian package that has it.
    var package: String
    /// What an admin can do where it fails.
    var wayOut = "see the trace"
    /// What lines begin with that say what it is at, and not what went wrong; empty where none do.
    var remark = ""
    /// Asked about once a second: whether it is to be ended now.
    var shouldEnd: () -> Bool = { false }

    private static let path = ["/usr/local/bin", "/usr/bin", "/bin"]
    /// Seconds between SIGTERM and SIGKILL.
    private static let termination = 10.0

    /// Runs it.
    ///
    /// - Parameters:
    ///   - input, output: its standard input and output.
    ///   - onLine: gets each line of its standard error.
    /// - Throws: with the code `database`: not installed, failed (its last line), ended.
    func run(
        _ doing: String, in directory: borrowing Directory, input: Int32, output: Int32, onLine: (String) -> Void
    ) throws(SQLError) {
        let name = command.first ?? ""
        guard
            let program = Self.path.map({ (place: String) -> String in place + "/" + name }).first(where: {
                access($0, X_OK) == 0
            })
        else {
            throw SQLError(.database, doing, "there is no program \(name)", wayOut: "apt install \(package)")
        }
        var last = ""
        let exit: ChildProcess.Exit
        do throws(FileError) {
            exit = try run(program, in: directory, input: input, output: output) { line in
                if remark.isEmpty || !line.hasPrefix(remark) { last = line }
                onLine(line)
            }
        } catch {
            throw SQLError(.io, doing, "\(error)")
        }
        if shouldEnd() { throw SQLError(.database, doing, "it was ended because patchd is stopping") }
        guard exit == .code(0) else {
            let isFull = last.contains("No space left on device")
            throw SQLError(
                isFull ? .space : .database, doing, last.isEmpty ? "\(name) ended with \(exit)" : last,
                wayOut: wayOut)
        }
    }

    private func run(
        _ program: String, in directory: borrowing Directory, input: Int32, output: Int32, onLine: (String) -> Void
    ) throws(FileError) -> ChildProcess.Exit {
        var pipe = try Pipe()
        let user = getpwuid(geteuid())
        let home = user.map { String(cString: $0.pointee.pw_dir) } ?? "/"
        let child = try ChildProcess.start(
            program, command,
            // The first of a name counts.
            environment: environment + ["PATH=\(Self.path.joined(separator: ":"))", "HOME=\(home)", "LANG=C.UTF-8"],
            in: directory, input: input, output: output, error: pipe.writing?.descriptor ?? -1)
        pipe.writing = nil
        var lines = LineBuffer()
        var endsAt: Double?
        while true {
            var sources = [
                pollfd(fd: lines.isAtEnd ? -1 : pipe.reading.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: child.ending.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            poll(&sources, 2, 1000)
            lines.fill(from: pipe.reading.descriptor, onLine)
            if sources[1].revents != 0 { break }
            if shouldEnd() {
                let now = MonotonicClock.seconds
                if endsAt == nil { child.signalGroup(SIGTERM) }
                endsAt = endsAt ?? now + Self.termination
                if let end = endsAt, now >= end { child.signalGroup(SIGKILL) }
            }
        }
        child.signalGroup(SIGKILL)
        let exit = child.wait()
        lines.fill(from: pipe.reading.descriptor, onLine)
        return exit
    }

    /// A file in memory for what no other process is to read; the program finds it as `/dev/fd/0` when it is its input.
    static func secret(_ text: String) throws(SQLError) -> File {
        do throws(FileError) { return try File.inMemory(Array(text.utf8)) } catch {
            throw SQLError(.io, "make a file in memory", "\(error)")
        }
    }
}

/// The lines of a pipe that does not block, each cut to a length that can be shown.
private struct LineBuffer {
    private static let longest = 2000
    private var rest: [UInt8] = []
    private(set) var isAtEnd = false

    mutating func fill(from descriptor: Int32, _ onLine: (String) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 16384)
        while !isAtEnd {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 { return }
            if count == 0 {
                isAtEnd = true
                if !rest.isEmpty { onLine(String(decoding: rest, as: UTF8.self)) }
                return
            }
            for byte in buffer[..<count] {
                if byte == UInt8(ascii: "\n") {
                    if !rest.isEmpty { onLine(String(decoding: rest, as: UTF8.self)) }
                    rest.removeAll(keepingCapacity: true)
                } else if rest.count < Self.longest {
                    rest.append(byte)
                }
            }
        }
    }
}
