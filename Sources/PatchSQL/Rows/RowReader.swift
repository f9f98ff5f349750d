import PatchFiles
import PatchModel

/// What is wrong with a row.
enum RowProblem: Error {
    case file(String)
    case database(SQLError)
}

/// A CSV file whose rows are to be loaded.
public enum RowFile {
    /// Looks for all that is wrong with the file itself, whatever the table is like.
    ///
    /// - Parameter name: the file's, for messages.
    /// - Throws: with the code `sql`, line and cause: a broken quote, a wrong number of fields, what is not UTF-8.
    public static func check(_ file: borrowing File, name: String) throws(SQLError) {
        var header: Int?
        try RowReader.readAll(file, name: name) { (row) throws(RowProblem) in
            guard let header else {
                header = row.count
                return
            }
            try RowReader.check(row, fields: header)
        }
    }
}

/// Reads rows of a CSV file (RFC 4180) as its bytes come: fields separated by commas, lines ended by LF or CRLF. A
/// field that is empty and not quoted is NULL, as PostgreSQL's COPY has it; `""` is the empty text.
struct RowReader {
    private enum State { case atStart, plain, quoted, quoteSeen, returnSeen }

    /// Bytes that one row may have.
    static let rowLimit = 16 << 20

    private let name: String
    private var state = State.atStart
    private var field: [UInt8] = []
    private var row: [String?] = []
    private var rowSize = 0
    private var isQuoted = false
    /// Of the byte that comes next.
    private var line = 1
    /// Where the row under way begins.
    private var rowLine = 1
    private var isFirst = true

    /// - Parameter name: the file's, for messages.
    init(name: String) { self.name = name }

    /// Takes the next bytes, and hands on each row that is complete with the line it begins in.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ onRow: (Int, [String?]) throws(SQLError) -> Void
    ) throws(SQLError) {
        for byte in bytes { try read(byte, onRow) }
    }

    /// The end of the file, which a line end may precede or not.
    mutating func finish(_ onRow: (Int, [String?]) throws(SQLError) -> Void) throws(SQLError) {
        switch state {
        case .quoted: throw problem(rowLine, "a quote that is opened in this row is never closed")
        case .returnSeen: throw problem(line, "a carriage return without a line feed")
        case .atStart where row.isEmpty: return
        case .atStart, .plain, .quoteSeen: try endRow(onRow)
        }
    }

    /// Reads a whole file: the header first, then the rows.
    static func readAll(
        _ file: borrowing File, name: String, _ body: ([String?]) throws(RowProblem) -> Void
    ) throws(SQLError) {
        var reader = RowReader(name: name)
        let errors = reader
        var isEmpty = true
        func onRow(_ line: Int, _ row: [String?]) throws(SQLError) {
            isEmpty = false
            do throws(RowProblem) {
                try body(row)
            } catch {
                switch error {
                case .file(let cause): throw errors.problem(line, cause)
                case .database(let failure):
                    guard failure.code == .sql else { throw failure }
                    throw errors.problem(line, failure.cause)
                }
            }
        }
        try file.forEachBlock(
            { (block) throws(SQLError) in try reader.read(block, onRow) },
            onError: { SQLError(.io, "load the rows of \(name)", "\($0)") })
        try reader.finish(onRow)
        if isEmpty { throw errors.problem(1, "it is empty: the first line names the columns") }
    }

    /// A row has as many fields as the header.
    static func check(_ row: [String?], fields: Int) throws(RowProblem) {
        guard row.count == fields else { throw .file("the row has \(row.count) fields, the header \(fields)") }
    }

    /// An error in a row of this file.
    func problem(_ line: Int, _ cause: String, code: FaultCode = .sql, wayOut: String = "nothing was loaded")
        -> SQLError
    {
        SQLError(code, "load the rows of \(name)", at: .init(file: name, line: line), cause, wayOut: wayOut)
    }

    private mutating func read(
        _ byte: UInt8, _ onRow: (Int, [String?]) throws(SQLError) -> Void
    ) throws(SQLError) {
        rowSize += 1
        guard rowSize <= Self.rowLimit else { throw problem(rowLine, "the row is longer than \(Self.rowLimit) bytes") }
        defer { if byte == UInt8(ascii: "\n") { line += 1 } }
        switch (state, byte) {
        case (.quoted, UInt8(ascii: "\"")): state = .quoteSeen
        case (.quoted, _): field.append(byte)
        case (.quoteSeen, UInt8(ascii: "\"")):
            field.append(byte)
            state = .quoted
        case (.returnSeen, UInt8(ascii: "\n")), (.atStart, UInt8(ascii: "\n")), (.plain, UInt8(ascii: "\n")),
            (.quoteSeen, UInt8(ascii: "\n")):
            try endRow(onRow)
            rowLine = line + 1
        case (.returnSeen, _): throw problem(line, "a carriage return without a line feed")
        case (_, UInt8(ascii: "\r")): state = .returnSeen
        case (_, UInt8(ascii: ",")):
            try endField()
            state = .atStart
        case (.quoteSeen, _): throw problem(line, "something stands between a closing quote and the comma")
        case (.atStart, UInt8(ascii: "\"")):
            isQuoted = true
            state = .quoted
        case (.plain, UInt8(ascii: "\"")):
            // A byte order mark in front of a quoted first name.
            guard isFirst, row.isEmpty, field == [0xEF, 0xBB, 0xBF] else {
                throw problem(line, "a quote in the middle of a field that is not quoted")
            }
            field = []
            isQuoted = true
            state = .quoted
        default:
            field.append(byte)
            state = .plain
        }
    }

    private mutating func endField() throws(SQLError) {
        if isFirst, row.isEmpty, !isQuoted, field.starts(with: [0xEF, 0xBB, 0xBF]) { field.removeFirst(3) }
        guard let text = String(validating: field, as: UTF8.self), !field.contains(0) else {
            throw problem(rowLine, "field \(row.count + 1) is not UTF-8")
        }
        row.append(field.isEmpty && !isQuoted ? nil : text)
        field.removeAll(keepingCapacity: true)
        isQuoted = false
    }

    private mutating func endRow(_ onRow: (Int, [String?]) throws(SQLError) -> Void) throws(SQLError) {
        try endField()
        let complete = row
        row = []
        rowSize = 0
        isFirst = false
        state = .atStart
        try onRow(rowLine, complete)
    }
}
