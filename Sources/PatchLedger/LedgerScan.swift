import Glibc
import PatchFiles
import PatchModel

/// Reads a ledger's lines: `+<number> <length> <checksum> <text>`, numbered from 0, the length in decimal bytes of the text,
/// the checksum the first 16 hexadecimal digits of the SHA-256 of `<number>:<text>`.
///
/// What is read was written by the owner of the folder, who may do anything to the file: no more memory is used than one
/// record and the blocks around it need, whatever the file's size, and each byte is looked at a few times at most.
struct LedgerScan {
    /// Of one record's text. The largest are the statements of a script and a registry.
    static let recordLimit = 32 << 20
    /// Of a whole ledger: about 60 bytes a step are usual.
    static let sizeLimit: Int64 = 256 << 20

    /// Where the next record begins.
    private(set) var offset: Int64
    /// Its number.
    private(set) var number: Int
    /// The file's size when it was read.
    private(set) var size: Int64 = 0

    /// Goes on behind so many records, which end at an offset.
    init(offset: Int64 = 0, number: Int = 0) {
        self.offset = offset
        self.number = number
    }

    static func line(_ text: [UInt8], number: Int) -> [UInt8] {
        Array("+\(number) \(text.count) \(checksum(text[...], number)) ".utf8) + text + [UInt8(ascii: "\n")]
    }

    private static func checksum(_ text: ArraySlice<UInt8>, _ number: Int) -> String {
        String(SHA256.hash(of: Array("\(number):".utf8) + text).prefix(16))
    }

    /// Hands on the texts of all whole records from here on.
    ///
    /// - Parameter body: throws what it cannot read.
    /// - Throws: ``LedgerError`` when what follows them is not what a cut write leaves.
    mutating func read(
        _ file: borrowing File, _ body: (ArraySlice<UInt8>) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        size = try Self.asking { () throws(FileError) in try file.status().size }
        guard size <= Self.sizeLimit else { throw .tooLarge(path: file.path, record: number) }
        // It was this long when it was read before.
        guard size >= offset else { throw .damaged(path: file.path, record: number) }
        var window = Window(at: offset)
        while offset < size {
            try window.fill(64, from: file)
            guard let head = Head(window.bytes), head.number == number, head.length <= Self.recordLimit else { break }
            try window.fill(head.end, from: file)
            guard let text = head.text(in: window.bytes), Self.checksum(text, number) == head.checksum else { break }
            try body(text)
            window.drop(head.end)
            offset += Int64(head.end)
            number += 1
        }
        if offset < size { try checkIsCut(file) }
    }

    /// A cut write ends anywhere, or in zeros; one that has its line feed and no zeros was whole once, and so was one that
    /// others follow. It was one record: a worker makes each durable before the next.
    private func checkIsCut(_ file: borrowing File) throws(LedgerError) {
        guard size - offset <= Int64(Self.recordLimit) + 64 else { throw .tooLarge(path: file.path, record: number) }
        let tail = try Self.asking { () throws(FileError) in try file.read(at: offset, limit: Int(size - offset)) }
        let wasWhole = tail.last == UInt8(ascii: "\n") && !tail.contains(0)
        if wasWhole || Self.hasRecord(behind: tail, number: number) {
            throw .damaged(path: file.path, record: number)
        }
    }

    /// Whether a line further on looks like a later record. Its checksum is not looked at: a line that is one but for that is
    /// no torn write either.
    private static func hasRecord(behind tail: [UInt8], number: Int) -> Bool {
        var at = 0
        while let feed = tail[at...].firstIndex(of: UInt8(ascii: "\n")) {
            at = feed + 1
            if let head = Head(tail[at...].prefix(64)), head.number >= number, head.text(in: tail[at...]) != nil {
                return true
            }
        }
        return false
    }

    static func asking<Value>(_ body: () throws(FileError) -> Value) throws(LedgerError) -> Value {
        do throws(FileError) { return try body() } catch { throw .file(error) }
    }

    /// What stands before a record's text.
    private struct Head {
        let number: Int
        let length: Int
        let checksum: String
        private let start: Int
        /// How long the line is, with its line feed.
        var end: Int { start + length + 1 }

        init?(_ bytes: ArraySlice<UInt8>) {
            let head = bytes.prefix(64)
            guard head.first == UInt8(ascii: "+") else { return nil }
            let parts = head.dropFirst().split(
                separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count == 4, parts[2].count == 16,
                let number = Int(String(decoding: parts[0], as: UTF8.self)), number >= 0,
                let length = Int(String(decoding: parts[1], as: UTF8.self)), length >= 0, length < 1 << 40
            else { return nil }
            self.number = number
            self.length = length
            checksum = String(decoding: parts[2], as: UTF8.self)
            start = parts[3].startIndex - head.startIndex
        }

        /// Nil where the line is not there to its end.
        func text(in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
            guard bytes.count >= end, bytes[bytes.startIndex + end - 1] == UInt8(ascii: "\n") else { return nil }
            return bytes[(bytes.startIndex + start)..<(bytes.startIndex + end - 1)]
        }
    }

    /// The part of the file that is looked at.
    private struct Window {
        private var buffer: [UInt8] = []
        private var begin = 0
        private var next: Int64

        init(at offset: Int64) { next = offset }

        var bytes: ArraySlice<UInt8> { buffer[begin...] }

        mutating func drop(_ count: Int) { begin += count }

        /// Reads on until so many bytes are there, or the file ends.
        mutating func fill(_ count: Int, from file: borrowing File) throws(LedgerError) {
            while buffer.count - begin < count {
                let from = next
                let size = max(1 << 16, count - (buffer.count - begin))
                let block = try LedgerScan.asking { () throws(FileError) in try file.read(at: from, limit: size) }
                if block.isEmpty { return }
                buffer.removeSubrange(..<begin)
                begin = 0
                buffer += block
                next += Int64(block.count)
            }
        }
    }
}
