import Glibc
import PatchFiles
import PatchModel

/// A program of a database's own, such as one that writes dumps, run as a child. Its password comes in a file that it is told
/// of: arguments are in the process list.
struct ServerProgram {
    /// `mariadb-dump`.
    let name: String
    /// The Debian package that has it.
    let package: String
    /// Without its name. `{login}` stands for the path of the file with the login.
    var arguments: [String]
    /// What the file with the login holds; nil: there is no such file.
    var login: String?
    /// What an admin can do where it fails.
    var wayOut: String
    /// `NAME=value`, beside `PATH` and `HOME`.
    var environment: [String] = []

    /// What the argument that names the file holds in its place.
    static let loginPlace = "{login}"
    private static let directories = ["/usr/bin", "/usr/local/bin", "/bin"]
    /// Bytes of what it says that are kept: the end.
    private static let outputLimit = 4096

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - directory: where the file with the login is made, readable for its owner only, and removed.
    ///   - shouldEnd: asked once a second: whether it is to be ended.
    /// - Throws: with the code `database` where it is not installed, `space` where `directory` has no room left, and else
    ///   with what it said.
    func run(
        _ doing: String, input: borrowing File, output: borrowing File, in directory: borrowing Directory,
        shouldEnd: () -> Bool
    ) throws(SQLError) {
        guard
            let path = Self.directories.map({ "\($0)/\(name)" }).first(where: { (path: String) in
                access(path, X_OK) == 0
            })
        else {
            throw SQLError(.database, doing, "\(name) is not installed", wayOut: "apt install \(package)")
        }
        let file = "\(name).login"
        do throws(FileError) {
            try directory.remove(file)
            if let login {
                let made = try directory.createFile(file)
                try made.write(Array(login.utf8))
            }
        } catch {
            throw SQLError(error.number == ENOSPC || error.number == EDQUOT ? .space : .io, doing, "\(error)")
        }
        defer { try? directory.remove(file) }
        let place = "\(directory.path)/\(file)"
        let words = [name] + arguments.map { $0.replacing(Self.loginPlace, with: place) }
        let said: (exit: ChildProcess.Exit, text: String)
        do throws(FileError) {
            said = try run(path, words, input: input, output: output, in: directory, shouldEnd)
        } catch {
            throw SQLError(.io, doing, "\(error)")
        }
        guard said.exit != .code(0) else { return }
        let room = (try? directory.availableSpace()) ?? .max
        guard room > 1 << 20 else {
            throw SQLError(.space, doing, "the disk is full", wayOut: "make room in \(directory.path)")
        }
        throw SQLError(.database, doing, "\(name) failed (\(said.exit)): \(said.text)", wayOut: wayOut)
    }

    private func run(
        _ path: String, _ words: [String], input: borrowing File, output: borrowing File,
        in directory: borrowing Directory,
        _ shouldEnd: () -> Bool
    ) throws(FileError) -> (exit: ChildProcess.Exit, text: String) {
        var errors = try Pipe()
        let child = try ChildProcess.start(
            path, words, environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"] + environment, in: directory,
            input: input.descriptor, output: output.descriptor, error: errors.writing?.descriptor ?? -1)
        errors.writing = nil
        var text: [UInt8] = []
        var isEnding = false
        while true {
            var sources = [
                pollfd(fd: errors.reading.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: child.ending.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            poll(&sources, 2, 1000)
            Self.drain(errors.reading, into: &text)
            if sources[1].revents != 0 { break }
            if !isEnding, shouldEnd() {
                isEnding = true
                child.signalGroup(SIGTERM)
            }
        }
        let exit = child.wait()
        Self.drain(errors.reading, into: &text)
        let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
        return (exit, lines.joined(separator: "; "))
    }

    private static func drain(_ pipe: borrowing File, into text: inout [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(pipe.descriptor, &buffer, buffer.count)
            guard count > 0 else { return }
            text = (text + buffer.prefix(count)).suffix(outputLimit)
        }
    }
}
