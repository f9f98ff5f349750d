import Foundation

/// What a program said and how it ended.
struct Outcome {
    /// Its exit code; 128 and the signal's number when a signal ended it.
    var code: Int32
    var output: String
    var errors: String
}

/// A sentence about what did not work, for whoever reads the test's report.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Runs programs of this host to their end.
enum Command {
    /// Runs a program with nothing on its standard input.
    ///
    /// Its output goes through files: what it leaves behind would keep a pipe open.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil,
        timeout: Duration = .seconds(120)
    ) throws -> Outcome {
        let output = try Scratch()
        let errors = try Scratch()
        let child = try Child(
            program, arguments, environment: environment, output: output.descriptor, errors: errors.descriptor)
        guard child.ended.wait(timeout: timeout), let code = child.code else {
            child.signal(SIGKILL)
            throw Failure("\(([program] + arguments).joined(separator: " ")): still running after \(timeout)")
        }
        return Outcome(code: code, output: output.text, errors: errors.text)
    }

    /// The same, where only success will do.
    @discardableResult
    static func require(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil
    ) throws -> Outcome {
        let outcome = try run(program, arguments, environment: environment)
        guard outcome.code == 0 else {
            let line = ([program] + arguments).joined(separator: " ")
            throw Failure("\(line): exit \(outcome.code)\n\(outcome.output)\(outcome.errors)")
        }
        return outcome
    }
}

/// A file without a name.
private final class Scratch {
    let descriptor: Int32

    init() throws {
        let name = "/tmp/patchd-output-\(UInt64.random(in: .min ... .max))"
        descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("making \(name): \(String(cString: strerror(errno)))") }
        unlink(name)
    }

    deinit { close(descriptor) }

    var text: String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count))
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer.prefix(count)
        }
    }
}
