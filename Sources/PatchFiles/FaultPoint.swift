import Glibc
import Synchronization

/// The numbered places at which a test may kill the process or let a call fail. Every mutating call of this module
/// passes one, so that "kill at N" for N = 1, 2, … reaches each of them.
///
/// Inert unless the environment variable `PATCHD_FAULT_POINT` is `PROGRAM:ACTION:N:STAMP`: PROGRAM is this process's
/// program name, ACTION `kill` or an errno number, N counts from 1, and STAMP is a file that is created when the
/// fault fires, so that it fires once only, however many processes run.
public enum FaultPoint {
    private struct Order: Sendable {
        var kills: Bool
        var number: Int32
        var at: Int
        var stamp: String
    }

    private static let passed = Atomic<Int>(0)

    private static let order: Order? = {
        guard let raw = getenv("PATCHD_FAULT_POINT") else { return nil }
        let parts = String(cString: raw).split(separator: ":", maxSplits: 3).map(String.init)
        guard parts.count == 4, let at = Int(parts[2]), programName() == parts[0] else { return nil }
        return Order(kills: parts[1] == "kill", number: Int32(parts[1]) ?? 0, at: at, stamp: parts[3])
    }()

    private static func programName() -> String {
        var buffer = [UInt8](repeating: 0, count: 64)
        let file = open("/proc/self/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        let count = read(file, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(count - 1, 0)), as: UTF8.self)
    }

    /// Called right before a mutating call.
    ///
    /// - Throws: the error that a test asked for; never otherwise.
    static func pass(_ operation: String, _ path: String) throws(FileError) {
        guard let order else { return }
        let count = passed.add(1, ordering: .relaxed).newValue
        guard count == order.at else { return }
        let stamp = open(order.stamp, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard stamp >= 0 else { return }
        let line = "\(operation) \(path)\n"
        _ = line.withCString { write(stamp, $0, strlen($0)) }
        close(stamp)
        if order.kills {
            kill(getpid(), SIGKILL)
            while true { pause() }
        }
        throw FileError(operation, path, number: order.number)
    }
}
