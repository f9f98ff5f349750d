import CSystemd
import Glibc

/// A D-Bus message: a call to be filled, or a reply or a signal to be read from front to back.
struct BusMessage: ~Copyable {
    let raw: OpaquePointer
    /// The operation, for errors.
    let operation: SystemdError.Operation

    /// Takes over one reference.
    init(owning raw: OpaquePointer, for operation: SystemdError.Operation) {
        self.raw = raw
        self.operation = operation
    }

    deinit { sd_bus_message_unref(raw) }

    /// Whether it is this signal.
    func isSignal(_ interface: String, _ member: String) -> Bool {
        sd_bus_message_is_signal(raw, interface, member) > 0
    }

    /// The object that sent it, or that is called.
    var path: String { Self.text(sd_bus_message_get_path(raw)) }

    /// The connection that sent it, as the bus says.
    var sender: String { Self.text(sd_bus_message_get_sender(raw)) }

    /// Empty where a call leaves open which is meant.
    var interface: String { Self.text(sd_bus_message_get_interface(raw)) }

    var member: String { Self.text(sd_bus_message_get_member(raw)) }

    /// The types of its arguments.
    var signature: String { Self.text(sd_bus_message_get_signature(raw, 1)) }

    /// Whether it is a call whose sender waits for an answer.
    var expectsReply: Bool { sd_bus_message_get_expect_reply(raw) > 0 }

    /// Whether it is a call, with or without an answer.
    var isCall: Bool {
        var type: UInt8 = 0
        return sd_bus_message_get_type(raw, &type) >= 0 && type == UInt8(SD_BUS_MESSAGE_METHOD_CALL)
    }

    /// Of an answer, what it answers; 0 for none.
    var replyCookie: UInt64 {
        var cookie: UInt64 = 0
        return sd_bus_message_get_reply_cookie(raw, &cookie) < 0 ? 0 : cookie
    }

    /// The error that an answer is; nil for a good one.
    var failure: SystemdError? {
        guard let error = sd_bus_message_get_error(raw)?.pointee, let name = error.name else { return nil }
        return SystemdError(operation, name: String(cString: name), message: Self.text(error.message))
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }

    // MARK: Writing

    /// Appends one value of a property or an argument.
    func append(_ value: BusValue) throws(SystemdError) {
        switch value {
        case .text(let text): try append(text)
        case .texts(let texts): try append(texts)
        case .flag(let flag): try append(number: Int32(flag ? 1 : 0), type: "b")
        case .number(let number): try append(number: number, type: "t")
        case .integer(let number): try append(number: number, type: "i")
        case .mask(let number): try append(number: number, type: "u")
        case .descriptor(let descriptor): try append(number: descriptor, type: "h")
        case .bytes(let texts):
            try container("a", "ay") { () throws(SystemdError) in
                for text in texts {
                    let bytes = Array(text.utf8)
                    try check(bytes.withUnsafeBytes { append(bytes: $0) })
                }
            }
        case .pair(let first, let second):
            try container("a", "(ss)") { () throws(SystemdError) in
                try container("r", "ss") { () throws(SystemdError) in
                    try append(first)
                    try append(second)
                }
            }
        case .choice(let allows, let names):
            try container("r", "bas") { () throws(SystemdError) in
                try append(.flag(allows))
                try append(names)
            }
        case .binds(let paths):
            try container("a", "(ssbt)") { () throws(SystemdError) in
                for path in paths {
                    try container("r", "ssbt") { () throws(SystemdError) in
                        try append(path)
                        try append(path)
                        try append(.flag(true))
                        // With the mounts below it.
                        try append(.number(UInt64(16384)))
                    }
                }
            }
        case .command(let words):
            // One command: the program, its arguments with their first, and that systemd expands no `$` in them.
            try container("a", "(sasas)") { () throws(SystemdError) in
                try container("r", "sasas") { () throws(SystemdError) in
                    try append(words.first ?? "")
                    try append(words)
                    try append(["no-env-expand"])
                }
            }
        case .rows(let types, let rows):
            try container("a", "(\(types))") { () throws(SystemdError) in
                for row in rows {
                    try container("r", types) { () throws(SystemdError) in
                        for value in row { try append(value) }
                    }
                }
            }
        }
    }

    /// Appends a name and its value, as properties are passed: `(sv)`.
    func append(_ property: UnitProperty) throws(SystemdError) {
        try container("r", "sv") { () throws(SystemdError) in
            try append(property.name)
            try append(variant: property.value)
        }
    }

    /// Appends a value together with its type: `v`.
    func append(variant value: BusValue) throws(SystemdError) {
        try container("v", value.signature) { () throws(SystemdError) in try append(value) }
    }

    func append(_ text: String) throws(SystemdError) {
        // A C string would end at the zero byte, and name something else.
        guard !text.utf8.contains(0) else { throw SystemdError(operation, code: -EINVAL) }
        try check(text.withCString { sd_bus_message_append_basic(raw, Self.code("s"), $0) })
    }

    /// Appends a unit's name. An empty one is refused, because systemd takes it for the caller's own unit.
    func append(unit name: String) throws(SystemdError) {
        guard !name.isEmpty else {
            throw SystemdError(operation, name: Self.invalidArguments, message: "a unit needs a name")
        }
        try append(name)
    }

    static let invalidArguments = "org.freedesktop.DBus.Error.InvalidArgs"

    func append(_ texts: [String]) throws(SystemdError) {
        try container("a", "s") { () throws(SystemdError) in
            for text in texts { try append(text) }
        }
    }

    /// An array, a structure or a variant around what `fill` appends.
    func container(
        _ type: Unicode.Scalar, _ contents: String, _ fill: () throws(SystemdError) -> Void
    ) throws(SystemdError) {
        try check(sd_bus_message_open_container(raw, Self.code(type), contents))
        try fill()
        try check(sd_bus_message_close_container(raw))
    }

    private func append<Number: BitwiseCopyable>(number: Number, type: Unicode.Scalar) throws(SystemdError) {
        try check(withUnsafePointer(to: number) { sd_bus_message_append_basic(raw, Self.code(type), $0) })
    }

    private func append(bytes: UnsafeRawBufferPointer) -> Int32 {
        sd_bus_message_append_array(raw, Self.code("y"), bytes.baseAddress, bytes.count)
    }

    // MARK: Reading

    /// The next text or object path; nil at the end of an array.
    func text(_ type: Unicode.Scalar = "s") throws(SystemdError) -> String? {
        var pointer: UnsafePointer<CChar>?
        guard try check(sd_bus_message_read_basic(raw, Self.code(type), &pointer)) > 0, let pointer else { return nil }
        return String(cString: pointer)
    }

    /// The next text, which has to exist.
    func requiredText(_ type: Unicode.Scalar = "s") throws(SystemdError) -> String {
        guard let text = try text(type) else { throw SystemdError(operation, code: -EBADMSG) }
        return text
    }

    func flag() throws(SystemdError) -> Bool { try number("b", Int32(0)) != 0 }

    /// The next number of that type, into the form of `initial`.
    func number<Number: BitwiseCopyable>(_ type: Unicode.Scalar, _ initial: Number) throws(SystemdError) -> Number {
        var number = initial
        let read = withUnsafeMutablePointer(to: &number) { sd_bus_message_read_basic(raw, Self.code(type), $0) }
        guard try check(read) > 0 else { throw SystemdError(operation, code: -EBADMSG) }
        return number
    }

    func texts() throws(SystemdError) -> [String] {
        var texts: [String] = []
        try inside("a", "s") { () throws(SystemdError) in
            while let text = try text() { texts.append(text) }
        }
        return texts
    }

    /// The numbers of the next array: `au`.
    func numbers() throws(SystemdError) -> [UInt32] {
        var start: UnsafeRawPointer?
        var size = 0
        guard try check(sd_bus_message_read_array(raw, Self.code("u"), &start, &size)) > 0, let start else { return [] }
        let bytes = UnsafeRawBufferPointer(start: start, count: size)
        return (0..<size / 4).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self) }
    }

    /// Reads what is inside the next container; false, and nothing read, at the end of an array.
    @discardableResult
    func inside(
        _ type: Unicode.Scalar, _ contents: String, _ read: () throws(SystemdError) -> Void
    ) throws(SystemdError) -> Bool {
        guard try check(sd_bus_message_enter_container(raw, Self.code(type), contents)) > 0 else { return false }
        try read()
        try check(sd_bus_message_exit_container(raw))
        return true
    }

    /// Reads each element of the next array of structures (or of dictionary entries).
    func each(
        _ type: Unicode.Scalar = "r", _ contents: String, _ read: () throws(SystemdError) -> Void
    ) throws(SystemdError) {
        let element = type == "e" ? "{\(contents)}" : "(\(contents))"
        try inside("a", element) { () throws(SystemdError) in
            while try inside(type, contents, read) {}
        }
    }

    /// Reads the next variant, which has to hold `contents`.
    func variant<Value>(
        _ contents: String, _ read: (borrowing BusMessage) throws(SystemdError) -> Value
    ) throws(SystemdError) -> Value {
        var value: Value?
        try inside("v", contents) { () throws(SystemdError) in value = try read(self) }
        guard let value else { throw SystemdError(operation, code: -EBADMSG) }
        return value
    }

    func skip(_ types: String) throws(SystemdError) { try check(sd_bus_message_skip(raw, types)) }

    @discardableResult
    private func check(_ result: Int32) throws(SystemdError) -> Int32 {
        guard result >= 0 else { throw SystemdError(operation, code: result) }
        return result
    }

    private static func code(_ type: Unicode.Scalar) -> CChar { CChar(truncatingIfNeeded: type.value) }
}
