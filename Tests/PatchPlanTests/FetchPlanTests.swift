import PatchPlan
import Testing

/// An archive as some writer makes it. What is called compressed here is any bytes: nobody unpacks it.
private struct Zip {
    struct Entry {
        var name: String
        var data: [UInt8]
        var time: UInt64 = 0x1234_5678
        var isDescribed = false
        /// The extra fields of both headers.
        var central: [UInt8] = []
        var local: [UInt8] = []
    }

    var entries: [Entry]
    var comment: [UInt8] = []
    var isZip64 = false

    static func number(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    /// Not a real one, but another for other bytes.
    private static func sum(_ data: [UInt8]) -> UInt64 {
        data.prefix(64).reduce(7) { ($0 &* 31 &+ UInt64($1)) & 0xFFFF_FFFF }
    }

    var bytes: [UInt8] {
        func number(_ value: UInt64, _ count: Int) -> [UInt8] { Self.number(value, count) }
        var archive: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let (sum, size) = (Self.sum(entry.data), UInt64(entry.data.count))
            let head = number(20, 2) + number(entry.isDescribed ? 8 : 0, 2) + number(8, 2) + number(entry.time, 4)
            let sizes = number(sum, 4) + number(size, 4) + number(2 * size, 4)
            let name = Array(entry.name.utf8)
            directory += number(0x0201_4B50, 4) + number(0x314, 2) + head + sizes + number(UInt64(name.count), 2)
            directory += number(UInt64(entry.central.count), 2) + number(0, 10) + number(UInt64(archive.count), 4)
            directory += name + entry.central
            archive += number(0x0403_4B50, 4) + head
            archive += entry.isDescribed ? number(0, 8) + number(2 * size, 4) : sizes
            archive += number(UInt64(name.count), 2) + number(UInt64(entry.local.count), 2) + name + entry.local
            archive += entry.data
            if entry.isDescribed { archive += number(0x0807_4B50, 4) + sizes }
        }
        let start = UInt64(archive.count)
        let (count, size) = (UInt64(entries.count), UInt64(directory.count))
        archive += directory
        if isZip64 {
            archive += number(0x0606_4B50, 4) + number(44, 8) + number(0x2D, 2) + number(0x2D, 2) + number(0, 8)
            archive += number(count, 8) + number(count, 8) + number(size, 8) + number(start, 8)
            archive += number(0x0706_4B50, 4) + number(0, 4) + number(start + size, 8) + number(1, 4)
        }
        archive += number(0x0605_4B50, 4) + number(0, 4)
        archive += isZip64 ? number(.max, 2) + number(.max, 2) + number(.max, 8) : []
        archive += isZip64 ? [] : number(count, 2) + number(count, 2) + number(size, 4) + number(start, 4)
        return archive + number(UInt64(comment.count), 2) + comment
    }
}

@Suite struct `What is fetched of an archive` {
    private func map(_ archive: [UInt8]) -> ArchiveMap? {
        let tail = Array(archive.suffix(Int(ArchiveEnd.reach)))
        guard let end = ArchiveEnd(tail: tail, size: UInt64(archive.count)) else { return nil }
        return ArchiveMap(directory: Array(archive[Int(end.directory.lowerBound)..<Int(end.directory.upperBound)]), end)
    }

    /// What is fetched of the new one where the old one is kept; nil where what is put together is not the new one.
    private func fetched(_ new: Zip, keeping old: Zip) throws -> (bytes: UInt64, requests: Int)? {
        let (wanted, kept) = (new.bytes, old.bytes)
        let end = try #require(ArchiveEnd(tail: wanted, size: UInt64(wanted.count)))
        let contents = try #require(map(kept)).entries.compactMap { entry in
            let at = Int(entry.offset)
            let header = Array(kept[at..<at + KeptContent.length(ofHeader: Array(kept[at..<at + 30]))])
            return KeptContent(archive: "old", entry: entry, header: header).map { (entry.content, $0) }
        }
        let plan = FetchPlan(
            try #require(map(wanted)), held: end.directory.lowerBound,
            kept: Dictionary(contents) { first, _ in first })
        var made = [UInt8](repeating: 0, count: wanted.count)
        func put(_ bytes: some Collection<UInt8>, at offset: UInt64) {
            made.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes)
        }
        put(wanted[Int(end.directory.lowerBound)...], at: end.directory.lowerBound)
        for range in plan.ranges { put(wanted[Int(range.lowerBound)..<Int(range.upperBound)], at: range.lowerBound) }
        for piece in plan.pieces {
            switch piece.source {
            case .bytes(let bytes): put(bytes, at: piece.place.lowerBound)
            case .kept(_, let part): put(kept[Int(part.lowerBound)..<Int(part.upperBound)], at: piece.place.lowerBound)
            }
        }
        return made == wanted ? (plan.fetched, plan.ranges.count) : nil
    }

    private func data(_ seed: Int, _ count: Int = 10_000) -> [UInt8] {
        var state = UInt64(seed + 1) &* 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    private func zip(_ seeds: [Int], _ change: (inout Zip.Entry) -> Void = { _ in }) -> Zip {
        Zip(
            entries: seeds.enumerated().map { index, seed in
                var entry = Zip.Entry(name: "dir/\(index)", data: data(seed))
                change(&entry)
                return entry
            })
    }

    @Test(arguments: [false, true]) func `is what is new, whatever the rest is called and whenever it was packed`(
        isDescribed: Bool
    ) throws {
        let old = zip(Array(0..<20)) { $0.isDescribed = isDescribed }
        let new = zip(Array(5..<15) + [100] + Array(15..<20)) { entry in
            entry.name = "other/directory/\(entry.name)"
            entry.time += 1
            entry.isDescribed = isDescribed
        }
        let found = try #require(try fetched(new, keeping: old))
        #expect(found.requests == 1)
        #expect((10_000..<10_200).contains(found.bytes), "\(found)")
    }

    @Test func `is the headers too, where they cannot be known`() throws {
        // As Info-ZIP writes it: the local one also has the time of the last access.
        let old = zip(Array(0..<20)) { ($0.central, $0.local) = ([1, 2, 1, 0, 9], [1, 2, 2, 0, 9, 1]) }
        let new = zip(Array(0..<20)) { ($0.central, $0.local) = ([1, 2, 1, 0, 9], [1, 2, 2, 0, 9, 2]) }
        let found = try #require(try fetched(new, keeping: old))
        #expect(found.requests == 20)
        #expect(found.bytes < 20 * 60, "\(found)")
        // Nothing marks where the data of such an entry ends: all of it is fetched.
        let described = zip(Array(0..<20)) { ($0.isDescribed, $0.local) = (true, [1, 2, 2, 0, 9, 1]) }
        #expect(try #require(try fetched(described, keeping: described)).bytes > 200_000)
    }

    @Test func `is one range where what lies between costs less than a request`() throws {
        let old = Zip(entries: (0..<40).map { Zip.Entry(name: "\($0)", data: data($0, 1000)) })
        let new = Zip(entries: (0..<40).map { Zip.Entry(name: "\($0)", data: data($0 % 2 == 0 ? $0 : $0 + 100, 1000)) })
        #expect(try #require(try fetched(new, keeping: old)).requests == 1)
    }

    @Test func `is no more than a thousand ranges, and none is endless`() throws {
        let old = Zip(entries: (0..<3000).map { Zip.Entry(name: "\($0)", data: data($0, 4200)) })
        let new = Zip(
            entries: (0..<3000).map { Zip.Entry(name: "\($0)", data: data($0 % 2 == 0 ? $0 : $0 + 5000, 4200)) })
        #expect(try #require(try fetched(new, keeping: old)).requests == 1000)
        let large = Zip(entries: [Zip.Entry(name: "large", data: [UInt8](repeating: 1, count: 40 << 20))])
        #expect(try #require(try fetched(large, keeping: zip([1]))).requests == 3)
    }

    @Test func `is found by the zip64 records, behind a comment, and not at all in what is none`() throws {
        var old = zip(Array(0..<20))
        old.isZip64 = true
        var new = old
        new.comment = Array("PK and so on".utf8)
        new.entries[3].data = data(99)
        #expect(try #require(try fetched(new, keeping: old)).requests == 1)
        let bytes = new.bytes
        for count in [0, 1, 21, 22, 100, bytes.count - 1] { #expect(map(Array(bytes.prefix(count))) == nil) }
        // Whatever a server makes of it, nothing is read beyond the end.
        for at in bytes.indices.suffix(1500) {
            var broken = bytes
            broken[at] ^= 0xFF
            if let map = map(broken) {
                #expect(map.entries.count == 20)
                _ = FetchPlan(map, held: UInt64(broken.count), kept: [:])
            }
        }
    }
}
