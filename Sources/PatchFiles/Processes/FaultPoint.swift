import Glibc
import Synchronization

/// Numbered points at which a test may kill the process or make a call fail. Every mutating call of this module passes
/// one, so that "kill at N" for N = 1, 2, … reaches each of them.
///
/// Inert unless the environment variable `PATCHD_FAULT_POINT` has an order for this program; orders are separated by
/// commas. An order is `PROGRAM:ACTION:N:STAMP`: PROGRAM is the process's name, ACTION `kill`, `stop` or an errno
/// number, N counts from 1. STAMP is a file that is created when the fault fires, so that it fires once, however many
/// processes run; its line is the process's pid and what it was about to do. With `next` for N it fires in every
/// process, one point later each time: STAMP then has the next N. The ACTION `list` only appends each point's line to
/// STAMP.
public enum FaultPoint {
    private struct Order: Sendable {
        /// Nil: a call fails with `number` instead.
        var signal: Int32?
        var lists: Bool
        var number: Int32
        var at: Int
        var isChain: Bool
        var stamp: String
    }

    private static let passed = Atomic<Int>(0)

    private static let order: Order? = {
        guard let raw = getenv("PATCHD_FAULT_POINT") else { return nil }
        let own = programName()
        for text in String(cString: raw).split(separator: ",") {
            let parts = text.split(separator: ":", maxSplits: 3).map(String.init)
            guard parts.count == 4, parts[0] == own else { continue }
            let isChain = parts[2] == "next"
            guard let at = isChain ? counter(parts[3]) : Int(parts[2]) else { continue }
            return Order(
                signal: ["kill": SIGKILL, "stop": SIGSTOP][parts[1]], lists: parts[1] == "list",
                number: Int32(parts[1]) ?? 0, at: at, isChain: isChain, stamp: parts[3])
        }
        return nil
    }()

    /// The directory in which this process makes a stamp; nil without an order.
    static var stampPlace: String? { order.flatMap { Directory.split($0.stamp).parent } }

    private static func counter(_ stamp: String) -> Int {
        let file = open(stamp, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 1 }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = read(file, &buffer, buffer.count)
        return Int(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)) ?? 1
    }

    private static func programName() -> String {
        var buffer = [UInt8](repeating: 0, count: 64)
        let file = open("/proc/self/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        let count = read(file, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(count - 1, 0)), as: UTF8.self)
    }

    /// Called right before a mutating call; of other modules, too, for what no call of this one shows.
    ///
    /// - Throws: the error that a test asked for; never otherwise.
    public static func pass(_ operation: String, _ path: String) throws(FileError) {
        guard let order else { return }
        let count = passed.add(1, ordering: .relaxed).newValue
        guard count == order.at || order.lists else { return }
        let once = order.lists ? O_APPEND : order.isChain ? O_TRUNC : O_EXCL
        let stamp = open(order.stamp, O_CREAT | once | O_WRONLY | O_CLOEXEC, 0o666)
        guard stamp >= 0 else { return }
        let line = order.isChain ? "\(order.at + 1)" : "\(getpid()) \(operation) \(path)\n"
        _ = line.withCString { write(stamp, $0, strlen($0)) }
        close(stamp)
        if order.lists { return }
        if let signal = order.signal {
            kill(getpid(), signal)
            while true { pause() }
        }
        throw FileError(operation, path, number: order.number)
    }
}
