/// A value as it goes over the bus, with its D-Bus type.
public enum BusValue: Hashable, Sendable {
    /// `s`.
    case text(String)
    /// `as`.
    case texts([String])
    /// `b`.
    case flag(Bool)
    /// `t`: times in microseconds, limits, capabilities.
    case number(UInt64)
    /// `i`: signals, priorities.
    case integer(Int32)
    /// `u`: modes, numbers of jobs.
    case mask(UInt32)
    /// `h`: an open descriptor, of which systemd gets a copy.
    case descriptor(Int32)
    /// `aay`: texts that need not be UTF-8.
    case bytes([String])
    /// `a(ss)`: one pair, such as a place and its mount options.
    case pair(String, String)
    /// `(bas)`: a list, and whether it is what is allowed; else it is what is forbidden.
    case choice(allows: Bool, [String])
    /// `a(ssbt)`: directories and files that are seen under a path, each at its own; one that is missing is left out.
    case binds([String])
    /// `a(sasas)`: one command line.
    case command([String])
    /// An array of structures, each with values of these types: `uss`.
    case rows(String, [[BusValue]])

    /// The D-Bus type.
    var signature: String {
        switch self {
        case .text: "s"
        case .texts: "as"
        case .flag: "b"
        case .number: "t"
        case .integer: "i"
        case .mask: "u"
        case .descriptor: "h"
        case .bytes: "aay"
        case .pair: "a(ss)"
        case .choice: "(bas)"
        case .binds: "a(ssbt)"
        case .command: "a(sasas)"
        case .rows(let types, _): "a(\(types))"
        }
    }
}
