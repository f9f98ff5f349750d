import Glibc
import PatchFiles
import PatchModel

/// One run of a version-named script.
struct Script {
    /// The program and its arguments that run a script: what its `#!` line names, else what its name says: `/bin/sh`, or
    /// the `php` of the path (AlternC's rule). At most one argument stands in the line (execve(2)).
    static func interpreter(of file: borrowing File, _ kind: ScriptName.Kind) throws(FileError) -> [String] {
        let start = try file.read(limit: 256)
        guard start.starts(with: Array("#!/".utf8)) else {
            guard kind == .php else { return ["/bin/sh"] }
            return [path.map { $0 + "/php" }.first { access($0, X_OK) == 0 } ?? "/usr/bin/php"]
        }
        let line = String(decoding: start.dropFirst(2).prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
        return line.split(separator: " ", maxSplits: 1).map { part in String(part.drop { $0 == " " }) }
    }

    /// Where programs of scripts are looked for.
    static let path = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    /// How a run ended.
    enum Result: Equatable {
        case exit(ChildProcess.Exit)
        case timeout
    }

    /// Runs a program to its end, handing on each line of its output. Its whole process group ends with it.
    ///
    /// - Parameter seconds: after them it gets SIGTERM, and 10 s later SIGKILL.
    static func run(
        _ command: [String], environment: [String], in folder: borrowing Directory, seconds: Double,
        onLine: (String) -> Void
    ) throws(FileError) -> Result {
        var pipe = try Pipe()
        let empty = try File.open("/dev/null")
        let writing = pipe.writing?.descriptor ?? -1
        let child = try ChildProcess.start(
            command[0], command, environment: environment, in: folder, input: empty.descriptor, output: writing,
            error: writing)
        pipe.writing = nil
        var lines = LineSplitter()
        var end = MonotonicClock.seconds + seconds
        var late = false
        while true {
            var sources = [
                pollfd(fd: pipe.reading.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: child.ending.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            if lines.isAtEnd { sources[0].fd = -1 }
            poll(&sources, 2, Int32(max(0, min(end - MonotonicClock.seconds, 3600)) * 1000) + 1)
            lines.fill(from: pipe.reading, onLine)
            if sources[1].revents != 0 { break }
            guard MonotonicClock.seconds >= end else { continue }
            child.signalGroup(late ? SIGKILL : SIGTERM)
            late = true
            end = MonotonicClock.seconds + 10
        }
        // Before it is waited for: its number, which is its group's, may be another's afterwards.
        child.signalGroup(SIGKILL)
        let exit = child.wait()
        lines.fill(from: pipe.reading, onLine)
        lines.finish(onLine)
        return late ? .timeout : .exit(exit)
    }
}

/// Cuts a byte stream into lines; a line of more than 16 KiB is cut into pieces, so that output without line feeds
/// does not grow in memory.
struct LineSplitter {
    private var rest: [UInt8] = []
    private(set) var isAtEnd = false

    mutating func fill(from file: borrowing File, _ onLine: (String) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = read(file.descriptor, &buffer, buffer.count)
            if count == 0 { isAtEnd = true }
            if count <= 0 { return }
            for byte in buffer.prefix(count) {
                if byte == UInt8(ascii: "\n") || rest.count >= 16384 { flush(onLine) }
                if byte != UInt8(ascii: "\n") { rest.append(byte) }
            }
        }
    }

    mutating func finish(_ onLine: (String) -> Void) {
        if !rest.isEmpty { flush(onLine) }
    }

    private mutating func flush(_ onLine: (String) -> Void) {
        onLine(String(decoding: rest, as: UTF8.self))
        rest.removeAll(keepingCapacity: true)
    }
}
