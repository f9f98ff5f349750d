import Glibc
import PatchFiles
import PatchModel

/// One run of a program in the folder.
struct ScriptExecution {
    /// How it ended.
    enum Result: Equatable {
        case exit(ChildProcess.Exit)
        /// It took too long and was ended.
        case timeout
        /// It was ended because the worker was asked to stop.
        case stopped
    }

    /// Seconds between SIGTERM and SIGKILL.
    private static let termination = 10.0

    /// With the program first.
    var command: [String]
    /// `NAME=value`.
    var environment: [String]
    /// After them it gets SIGTERM.
    var seconds: Double
    /// Whether it is to be ended although it has time left; asked once a second.
    var shouldEnd: () -> Bool
    /// The last line with something in it that came out of its standard error; empty for none.
    private(set) var lastError = ""

    init(
        _ command: [String], environment: [String], seconds: Double, shouldEnd: @escaping () -> Bool = { false }
    ) {
        self.command = command
        self.environment = environment
        self.seconds = seconds
        self.shouldEnd = shouldEnd
    }

    /// Runs it to its end with nothing to read.
    mutating func run(
        in folder: borrowing Directory, output: ScriptOutput, in cage: Cage? = nil
    ) throws(FileError) -> Result {
        let empty = try File.open("/dev/null")
        return try run(in: folder, input: empty.descriptor, output: output, in: cage)
    }

    /// Runs it to its end. Its whole process group ends with it; what others that it left behind still print is nobody's.
    ///
    /// - Parameter cage: what it is kept in; nil for nothing.
    mutating func run(
        in folder: borrowing Directory, input: Int32, output: ScriptOutput, in cage: Cage? = nil
    ) throws(FileError) -> Result {
        var out = try Pipe()
        var error = try Pipe()
        let child = try ChildProcess.start(
            command[0], command, environment: environment, in: folder, input: input,
            output: out.writing?.descriptor ?? -1, error: error.writing?.descriptor ?? -1, in: cage)
        out.writing = nil
        error.writing = nil
        var (outLines, errorLines) = (LineStream(), LineStream())
        var end = MonotonicClock.seconds + seconds
        var ending: Result?
        var signal = SIGTERM
        while true {
            var sources = [
                pollfd(fd: outLines.isAtEnd ? -1 : out.reading.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errorLines.isAtEnd ? -1 : error.reading.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: child.ending.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            poll(&sources, 3, Int32(max(0, min(end - MonotonicClock.seconds, 1)) * 1000) + 1)
            fill(&outLines, from: out.reading, &errorLines, from: error.reading, output)
            output.flush()
            if sources[2].revents != 0 { break }
            if ending == nil, shouldEnd() {
                ending = .stopped
            } else if MonotonicClock.seconds >= end {
                ending = ending ?? .timeout
            } else {
                continue
            }
            child.signalGroup(signal)
            signal = SIGKILL
            end = MonotonicClock.seconds + Self.termination
        }
        // Before it is waited for: its number, which is its group's, may be another's afterwards.
        child.signalGroup(SIGKILL)
        let exit = child.wait()
        fill(&outLines, from: out.reading, &errorLines, from: error.reading, output)
        outLines.finish(output.take)
        errorLines.finish { take(errors: $0, output) }
        output.finish()
        return ending ?? .exit(exit)
    }

    private mutating func fill(
        _ outLines: inout LineStream, from out: borrowing File, _ errorLines: inout LineStream,
        from error: borrowing File, _ output: ScriptOutput
    ) {
        outLines.fill(from: out, output.take)
        errorLines.fill(from: error) { take(errors: $0, output) }
    }

    private mutating func take(errors: [UInt8], _ output: ScriptOutput) {
        let lines = errors.suffix(2000).split(separator: UInt8(ascii: "\n"))
        let texts = lines.reversed().lazy.map { String(decoding: $0, as: UTF8.self) }
        if let text = texts.first(where: { $0.contains { !$0.isWhitespace } }) {
            lastError = String(Printable.text(text).prefix(500))
        }
        output.take(errors)
    }
}
