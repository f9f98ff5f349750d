import Glibc
import PatchFiles
import PatchModel

/// A program of a database's own that dumps or restores it, run beside this process. Its password is in its environment,
/// which no other user can see, and in no list of processes.
struct DumpProgram {
    /// Its name; looked for where the distribution puts programs.
    let name: String
    /// The Debian package that has it.
    let package: String
    /// `NAME=value`, in addition to the usual ones.
    var environment: [String] = []

    /// Lines of what it said that are kept for a message.
    private static let keptLines = 5

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - doing: what for, for messages: `copy the database "db"`.
    ///   - input: a descriptor that it reads; nil: nothing.
    ///   - output: a descriptor that it writes to; nil: what it writes counts as said.
    ///   - shouldEnd: asked ten times a second; then it gets SIGTERM, and SIGKILL ten seconds later.
    /// - Throws: with the code `database` where it is missing or fails, with what it said last.
    func run(
        _ arguments: [String], to doing: String, input: Int32? = nil, output: Int32? = nil, shouldEnd: () -> Bool
    ) throws(SQLError) {
        let places = ["/usr/bin/\(name)", "/usr/local/bin/\(name)"]
        guard let path = places.first(where: { place in access(place, X_OK) == 0 }) else {
            throw SQLError(.database, doing, "\(name) is not installed", wayOut: "apt install \(package)")
        }
        let said: [String]
        let exit: ChildProcess.Exit
        do throws(FileError) {
            (exit, said) = try run(path, [name] + arguments, input, output, shouldEnd)
        } catch {
            throw SQLError(.io, doing, "\(error)")
        }
        guard exit == .code(0) else {
            let cause = said.suffix(Self.keptLines).joined(separator: ", ")
            throw SQLError(.database, doing, "\(name) failed\(cause.isEmpty ? " (\(exit))" : ": \(cause)")")
        }
    }

    private func run(
        _ path: String, _ arguments: [String], _ input: Int32?, _ output: Int32?, _ shouldEnd: () -> Bool
    ) throws(FileError) -> (ChildProcess.Exit, [String]) {
        var pipe = try Pipe()
        let nothing = try File.open("/dev/null")
        let writing = pipe.writing?.descriptor ?? -1
        let child = try ChildProcess.start(
            path, arguments, environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"] + environment,
            in: Directory.open("/"), input: input ?? nothing.descriptor, output: output ?? writing, error: writing)
        pipe.writing = nil
        var said: [UInt8] = []
        var end = Double.infinity
        var signal = SIGTERM
        while true {
            var sources = [
                pollfd(fd: child.ending.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pipe.reading.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            poll(&sources, 2, 100)
            Self.read(pipe.reading, into: &said)
            if sources[0].revents != 0 { break }
            if signal == SIGTERM ? shouldEnd() : MonotonicClock.seconds >= end {
                child.signalGroup(signal)
                signal = SIGKILL
                end = MonotonicClock.seconds + 10
            }
        }
        let exit = child.wait()
        Self.read(pipe.reading, into: &said)
        let lines = String(decoding: said, as: UTF8.self).split(whereSeparator: \.isNewline)
        return (exit, lines.map { Printable.text(String($0)) })
    }

    /// Reads what is there, and keeps the end of it.
    private static func read(_ pipe: borrowing File, into said: inout [UInt8]) {
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(pipe.descriptor, &block, block.count)
            guard count > 0 else { return }
            said = (said + block[..<count]).suffix(65536)
        }
    }
}

/// What has to be there before a copy is written.
enum SpaceCheck {
    /// Compares what a copy needs with what is free.
    static func check(_ directory: borrowing Directory, needs bytes: UInt64, to doing: String) throws(SQLError) {
        let free: UInt64
        do throws(FileError) {
            free = try directory.availableSpace()
        } catch {
            throw SQLError(.io, doing, "\(error)")
        }
        guard free >= bytes else {
            throw SQLError(
                .space, doing, "it may need \(bytes) bytes, and \(free) are free in \"\(directory.path)\"",
                wayOut: "make room there")
        }
    }
}
