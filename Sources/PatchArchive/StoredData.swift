/// Stored data with a descriptor after it: the length is not known before, so a streaming reader stops at the first
/// bytes that look like a fitting descriptor. Such data has one reading only if no earlier bytes do.
enum StoredData {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
    }

    /// Goes through the data once, in blocks.
    ///
    /// A checksum is needed only where the sizes fit already, which in honest data is nowhere. It is carried from one
    /// such position to the next, so that no data makes this quadratic.
    static func check(_ entry: ArchiveEntry, at data: UInt64, _ window: inout ArchiveWindow) throws(ArchiveFailure) {
        let longest: UInt64 = 24
        var sum = UInt32.max
        var summed: UInt64 = 0
        var position: UInt64 = 0
        while position < entry.size {
            // All of it is before the end of the central directory, so there are bytes to look ahead at.
            let count = min(1 << 15, entry.size - position)
            let ahead = min(longest, window.size - data - position - count)
            let block = try window.bytes(at: data + position, Int(count + ahead), of: "data")
            let fits = candidates(block, from: position, count: Int(count))
            for offset in fits {
                let place = position + UInt64(offset)
                sum = try add(from: data + summed, Int(clamping: place - summed), to: sum, &window)
                summed = place
                let claimed = try window.bytes(at: data + place, 8, of: "data")
                guard claimed.number32(0) != ~sum, claimed.number32(4) != ~sum else {
                    throw .malformed(
                        at: entry.place,
                        "the stored data holds bytes that read as its own end; let the writer compress it")
                }
            }
            position += count
        }
    }

    /// Positions of sizes that would end the data there: 4 or 8 bytes each, with a signature before or, without, with
    /// the next record's signature after. (Twelve zeros alone are no end: a file may well begin with them.)
    private static func candidates(_ block: ArraySlice<UInt8>, from position: UInt64, count: Int) -> [Int] {
        var found: [Int] = []
        block.withUnsafeBytes { bytes in
            func number(_ offset: Int) -> UInt32? {
                guard offset + 4 <= bytes.count else { return nil }
                return bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian
            }
            for offset in 0..<count {
                guard let first = number(offset), let second = number(offset + 4), let third = number(offset + 8) else {
                    break
                }
                let size = position + UInt64(offset)
                let low = UInt32(truncatingIfNeeded: size)
                let high = UInt32(truncatingIfNeeded: size >> 32)
                if first == RecordSignature.descriptor, third == low, let fourth = number(offset + 12) {
                    if fourth == low || fourth == high { found.append(offset) }
                } else if second == low, third == low, let next = number(offset + 12) {
                    if next & 0xFFFF == 0x4B50 { found.append(offset) }
                } else if second == low, third == high, number(offset + 12) == low, let next = number(offset + 20) {
                    if next & 0xFFFF == 0x4B50 { found.append(offset) }
                }
            }
        }
        return found
    }

    private static func add(
        from start: UInt64, _ count: Int, to sum: UInt32, _ window: inout ArchiveWindow
    ) throws(ArchiveFailure) -> UInt32 {
        var sum = sum
        var done = 0
        while done < count {
            let length = min(1 << 15, count - done)
            for byte in try window.bytes(at: start + UInt64(done), length, of: "data") {
                sum = table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8
            }
            done += length
        }
        return sum
    }
}
