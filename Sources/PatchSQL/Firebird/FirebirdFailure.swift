import CFirebird

/// What Firebird says when a call failed.
struct FirebirdFailure: Error {
    /// One of its codes, from the first to the last that the status vector has.
    struct Entry {
        var code: Int
        /// The numbers that belong to it, such as a line and a column.
        var numbers: [Int] = []
    }

    var entries: [Entry] = []
    /// The kernel's error number on the server; 0 where there is none.
    var number: Int32 = 0
    /// Five characters.
    var sqlState = ""
    /// In Firebird's words.
    var message = ""

    /// Reads a status vector: pairs of what the next number is and that number, ended by 0.
    init(_ status: UnsafeMutablePointer<patch_fb_status>, _ library: FirebirdLibrary) {
        var at = 0
        loop: while at < Self.length - 1 {
            switch status[at] {
            case 0, 18: break loop  // The end; warnings stand behind it.
            case 1: entries.append(Entry(code: status[at + 1]))
            case 3: at += 1  // A text with its length in front.
            case 4: if !entries.isEmpty { entries[entries.count - 1].numbers.append(status[at + 1]) }
            case 7: number = Int32(truncatingIfNeeded: status[at + 1])
            case 2:  // A text, which is what a large number comes as.
                let text = UnsafePointer<CChar>(bitPattern: status[at + 1]).map { String(cString: $0) }
                if let number = text.flatMap({ Int($0) }), !entries.isEmpty {
                    entries[entries.count - 1].numbers.append(number)
                }
            default: break
            }
            at += 2
        }
        var state = [CChar](repeating: 0, count: 6)
        library.sqlState(&state, status)
        sqlState = String(decoding: state.prefix(5).map(UInt8.init(bitPattern:)), as: UTF8.self)
        message = Self.message(status, library)
    }

    /// Numbers that a status vector has.
    static let length = 20

    func has(_ code: Int) -> Bool { entries.contains { $0.code == code } }

    /// The lines of the message as one, without those that say nothing and those about a line within the statement, which is
    /// shown as one of the file.
    private static func message(_ status: UnsafeMutablePointer<patch_fb_status>, _ library: FirebirdLibrary) -> String {
        var rest: UnsafePointer<patch_fb_status>? = UnsafePointer(status)
        var lines: [String] = []
        var buffer = [CChar](repeating: 0, count: 1024)
        while true {
            let count = library.interpret(&buffer, UInt32(buffer.count), &rest)
            guard count > 0 else { break }
            let bytes = buffer.prefix(Int(count)).map(UInt8.init(bitPattern:))
            let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            for line in text.split(separator: "\n") {
                let isEmpty = line == "Dynamic SQL Error" || line.hasPrefix("SQL error code = ")
                if isEmpty || line.hasPrefix("At line ") || lines.last == String(line) { continue }
                lines.append(String(line))
            }
        }
        return lines.joined(separator: ", ").replacing(/\ - line \d+, column \d+/, with: "")
    }
}
