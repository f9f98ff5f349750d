import Glibc
import PatchFiles
import PatchJSON
import PatchModel

/// Why a ledger cannot be used.
public enum LedgerError: Error, Sendable, CustomStringConvertible {
    /// A system call failed.
    case file(FileError)
    /// A record that was whole once does not have its checksum, or is out of order.
    case damaged(path: String, record: Int)
    /// A record has its checksum but is none that this version knows.
    case unknown(path: String, record: Int, String)

    /// For people, with the way out.
    public var description: String {
        switch self {
        case .file(let error): error.description
        case .damaged(let path, let record):
            """
            ledger "\(path)" is damaged at record \(record), and not by a write that was cut: the disk or somebody \
            changed it. Nothing was done; compare the folder with the trace beside it before the job is resumed
            """
        case .unknown(let path, let record, let why):
            "ledger \"\(path)\" has a record \(record) that this version does not know (\(why)); use the newer patchd"
        }
    }
}

/// The write-ahead record of one job's steps in one folder.
///
/// A line a record: `<length> <checksum> <JSON>`, the length in decimal bytes of the JSON, the checksum the first 16
/// hexadecimal digits of the SHA-256 of `<number>:<JSON>`, with records numbered from 0. A last record that is not
/// whole is what a power cut leaves of a write that nobody relied on yet: it is cut off. Anything else that is wrong
/// stops the job.
public struct Ledger: ~Copyable {
    /// Everything that was recorded, in order.
    public private(set) var records: [LedgerRecord]
    private let file: File

    /// Reads a ledger and cuts a torn tail.
    ///
    /// - Parameter file: open for reading and appending.
    public init(_ file: consuming File) throws(LedgerError) {
        let (records, whole, size) = try Self.scan(file)
        if whole < size {
            do throws(FileError) {
                try file.truncate(to: whole)
                try file.sync()
            } catch {
                throw .file(error)
            }
        }
        self.records = records
        self.file = file
    }

    /// Reads a ledger that somebody else may be writing; a torn tail is left out and left alone.
    public static func read(_ file: borrowing File) throws(LedgerError) -> [LedgerRecord] { try scan(file).records }

    /// Appends records and makes them durable, in one write and one sync. After an error the ledger must not be
    /// written again by this process: what of it reached the disk is unknown.
    public mutating func append(_ added: LedgerRecord...) throws(LedgerError) {
        var bytes: [UInt8] = []
        for (offset, record) in added.enumerated() {
            bytes += try Self.line(record, number: records.count + offset, path: file.path)
        }
        do throws(FileError) {
            try file.write(bytes)
            try file.sync()
        } catch {
            throw .file(error)
        }
        records += added
    }

    private static func line(_ record: LedgerRecord, number: Int, path: String) throws(LedgerError) -> [UInt8] {
        let json: [UInt8]
        do {
            json = try JSONText.line(record)
        } catch {
            throw .unknown(path: path, record: number, "\(error)")
        }
        return Array("\(json.count) \(checksum(json[...], number)) ".utf8) + json + [UInt8(ascii: "\n")]
    }

    private static func checksum(_ json: ArraySlice<UInt8>, _ number: Int) -> String {
        String(SHA256.hash(of: Array("\(number):".utf8) + json).prefix(16))
    }

    private static func scan(
        _ file: borrowing File
    ) throws(LedgerError) -> (records: [LedgerRecord], whole: Int64, size: Int64) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try file.read(limit: Int(try file.status().size))
        } catch {
            throw .file(error)
        }
        var records: [LedgerRecord] = []
        var at = 0
        while at < bytes.count, let (json, next) = record(in: bytes, at: at, number: records.count) {
            do {
                records.append(try JSONText.read(LedgerRecord.self, json))
            } catch {
                throw .unknown(path: file.path, record: records.count, "\(error)")
            }
            at = next
        }
        let tail = bytes[at...]
        // A cut write ends anywhere, or in zeros; one that has its line feed and no zeros was whole once.
        let wasWhole = tail.last == UInt8(ascii: "\n") && !tail.contains(0)
        if wasWhole || at < bytes.count && validRecordFollows(in: bytes, after: at, number: records.count) {
            throw .damaged(path: file.path, record: records.count)
        }
        return (records, Int64(at), Int64(bytes.count))
    }

    /// The JSON of the record that begins at an offset, and where the next one begins; nil when there is none.
    private static func record(in bytes: [UInt8], at start: Int, number: Int?) -> (ArraySlice<UInt8>, next: Int)? {
        let space = UInt8(ascii: " ")
        guard
            let first = bytes[start..<min(start + 12, bytes.count)].firstIndex(of: space),
            let length = Int(String(decoding: bytes[start..<first], as: UTF8.self)), length >= 0,
            first + 18 + length < bytes.count, bytes[first + 17] == space
        else { return nil }
        let json = bytes[(first + 18)..<(first + 18 + length)]
        guard bytes[first + 18 + length] == UInt8(ascii: "\n") else { return nil }
        if let number {
            let sum = String(decoding: bytes[(first + 1)..<(first + 17)], as: UTF8.self)
            guard sum == checksum(json, number) else { return nil }
        }
        return (json, first + 19 + length)
    }

    /// Whether a whole record stands somewhere behind a place that is none: then it is no torn tail. Its number is not
    /// known, so every number that fits is tried.
    private static func validRecordFollows(in bytes: [UInt8], after start: Int, number: Int) -> Bool {
        var at = start
        var number = number
        while let feed = bytes[at...].firstIndex(of: UInt8(ascii: "\n")), feed + 1 < bytes.count {
            at = feed + 1
            number += 1
            if (0...number).contains(where: { record(in: bytes, at: at, number: $0) != nil }) { return true }
        }
        return false
    }
}
