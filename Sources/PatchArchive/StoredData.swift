/// Stored data with a descriptor after it: the length is not known before, so a streaming reader ends at the first bytes
/// that read as a fitting descriptor. Such data has one reading only if no earlier bytes do.
enum StoredData {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
    }

    /// Goes through the data once, in pieces.
    ///
    /// A checksum is needed only where the sizes fit already, which in honest data is nowhere; it is carried from one
    /// such place to the next, so that no data makes this quadratic.
    static func check(_ entry: ArchiveEntry, at data: UInt64, _ window: inout ArchiveWindow) throws(ArchiveFailure) {
        let longest: UInt64 = 20
        var sum = UInt32.max
        var summed: UInt64 = 0
        var position: UInt64 = 0
        while position < entry.size {
            // Descriptor and all lie before the end of the central directory, so there are bytes to look ahead at.
            let count = min(1 << 15, entry.size - position)
            let ahead = min(longest, window.size - data - position - count)
            let block = try window.bytes(at: data + position, Int(count + ahead), of: "data")
            let fits = candidates(block, from: position, count: Int(count))
            for offset in fits {
                let place = position + UInt64(offset)
                sum = try add(from: data + summed, Int(clamping: place - summed), to: sum, &window)
                summed = place
                let claimed = try window.bytes(at: data + place, 8, of: "data")
                let values = claimed.number32(0) == RecordSignature.descriptor ? claimed.dropFirst(4) : claimed
                guard values.number32(0) != ~sum && claimed.number32(0) != ~sum else {
                    throw .malformed(
                        at: entry.place, "the stored data holds bytes that read as its own end; let the writer compress it")
                }
            }
            position += count
        }
    }

    /// Where sizes stand that would end the data there: 4 or 8 bytes each, with or without a signature in front.
    private static func candidates(_ block: ArraySlice<UInt8>, from position: UInt64, count: Int) -> [Int] {
        var found: [Int] = []
        block.withUnsafeBytes { bytes in
            for offset in 0..<count {
                let size = position + UInt64(offset)
                guard offset + 16 <= bytes.count else { break }
                let isSigned =
                    bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian == RecordSignature.descriptor
                for start in isSigned ? [offset + 4, offset + 8] : [offset + 4] {
                    guard start + 8 <= bytes.count else { continue }
                    let low = bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self).littleEndian
                    let next = bytes.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self).littleEndian
                    let fitsShort = UInt64(low) == size && UInt64(next) == size
                    let fitsLong = UInt64(low) | UInt64(next) << 32 == size
                    if fitsShort || fitsLong {
                        found.append(offset)
                        break
                    }
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
