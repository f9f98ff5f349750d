/// The data of an entry in an archive that is here.
public struct KeptContent: Sendable {
    /// The archive's name among those that are kept.
    public var archive: String
    private let entry: ArchiveMap.Entry
    /// The entry's local header, as it stands there.
    private let header: [UInt8]

    /// The bytes of a local header that say how long it is.
    public static let fixedHeader = 30

    /// The whole length of a local header, by its first bytes.
    public static func length(ofHeader fixed: [UInt8]) -> Int {
        let bytes = ZipBytes(fixed)
        return fixedHeader + Int(bytes.number(26, 2)) + Int(bytes.number(28, 2))
    }

    /// Nil where header and entry do not belong together.
    public init?(archive: String, entry: ArchiveMap.Entry, header: [UInt8]) {
        let bytes = ZipBytes(header)
        guard header.count >= Self.fixedHeader, bytes.number(0, 4) == 0x0403_4B50,
            header.count == Self.length(ofHeader: header),
            header[Self.fixedHeader...].starts(with: entry.name), bytes.number(26, 2) == UInt64(entry.name.count),
            UInt64(header.count) + entry.compressed <= entry.span
        else { return nil }
        self.archive = archive
        self.entry = entry
        self.header = header
    }

    /// The data with what stands behind it, or the data alone.
    func data(withDescriptor: Bool) -> Range<UInt64> {
        let start = entry.offset + UInt64(header.count)
        return start..<(withDescriptor ? entry.offset + entry.span : start + entry.compressed)
    }

    /// The local header that the same writer gives the same content under another name or with another time; nil where
    /// that is not known.
    func header(of new: ArchiveMap.Entry) -> [UInt8]? {
        // Version, flags, method.
        guard new.head[..<6] == entry.head[..<6] else { return nil }
        let own = Array(header[(Self.fixedHeader + entry.name.count)...])
        // Some writers have no extra fields here, some the same as in the central directory, some others.
        guard own.isEmpty || own == entry.extra else { return nil }
        let extra = own.isEmpty ? [] : new.extra
        var made = Array(header[..<Self.fixedHeader])
        made.replaceSubrange(10..<14, with: new.head[6..<10])
        made.replaceSubrange(26..<30, with: Self.bytes(new.name.count) + Self.bytes(extra.count))
        made += new.name + extra
        let behind = data(withDescriptor: true)
        return UInt64(made.count) + UInt64(behind.count) == new.span ? made : nil
    }

    private static func bytes(_ number: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
    }
}

/// Which bytes of an archive are fetched, and where the others are (contract §13).
public struct FetchPlan: Sendable {
    /// Bytes that need not be fetched.
    public enum Source: Hashable, Sendable {
        /// They are known.
        case bytes([UInt8])
        /// They stand in an archive that is kept.
        case kept(archive: String, Range<UInt64>)
    }

    /// A part of the archive that need not be fetched.
    public struct Piece: Hashable, Sendable {
        /// In the new archive.
        public var place: Range<UInt64>
        /// Where its bytes are.
        public var source: Source
    }

    /// What a request costs, in bytes that could be fetched instead.
    static let request: UInt64 = 4 << 10
    /// Requests for one archive.
    static let mostRequests = 1000
    /// Bytes of one request: so many are fetched again after a kill.
    static let longestRange: UInt64 = 16 << 20

    /// In order, apart from each other.
    public private(set) var ranges: [Range<UInt64>] = []
    /// In order. Together with the ranges they are the archive, up to ``held``.
    public private(set) var pieces: [Piece] = []
    /// Bytes that are fetched.
    public var fetched: UInt64 { ranges.reduce(0) { $0 + UInt64($1.count) } }

    /// - Parameters:
    ///   - map: the new archive's.
    ///   - held: from here to its end the archive is here already.
    ///   - kept: what archives that are kept have.
    public init(_ map: ArchiveMap, held: UInt64, kept: [ArchiveContent: KeptContent]) {
        var needed: [Range<UInt64>] = []
        for entry in map.entries where entry.offset < held {
            let end = entry.offset + entry.span
            let data = end - (entry.hasDescriptor ? 0 : entry.compressed)
            if entry.compressed > 0, let content = kept[entry.content] {
                if let header = content.header(of: entry) {
                    let split = entry.offset + UInt64(header.count)
                    pieces.append(Piece(place: entry.offset..<split, source: .bytes(header)))
                    add(split..<end, content, withDescriptor: true)
                    continue
                }
                if !entry.hasDescriptor {
                    needed.append(entry.offset..<data)
                    add(data..<end, content, withDescriptor: false)
                    continue
                }
            }
            needed.append(entry.offset..<end)
        }
        ranges = Self.split(Self.merged(needed.map { $0.clamped(to: 0..<held) }.filter { !$0.isEmpty }))
        // What lies between two ranges that are fetched as one comes with them, and so does what is held.
        let ranges = self.ranges
        var next = 0
        pieces = pieces.filter { piece in
            while next < ranges.count, ranges[next].upperBound <= piece.place.lowerBound { next += 1 }
            let isFetched = next < ranges.count && ranges[next].lowerBound <= piece.place.lowerBound
            return !isFetched && piece.place.lowerBound < held
        }
    }

    private mutating func add(_ place: Range<UInt64>, _ content: KeptContent, withDescriptor: Bool) {
        let data = content.data(withDescriptor: withDescriptor)
        pieces.append(Piece(place: place, source: .kept(archive: content.archive, data)))
    }

    /// Closes the gaps that cost less than a request, and then the smallest until there are few enough ranges.
    private static func merged(_ needed: [Range<UInt64>]) -> [Range<UInt64>] {
        let gaps = zip(needed, needed.dropFirst()).map { $1.lowerBound - $0.upperBound }
        let open = Set(
            gaps.indices.filter { gaps[$0] >= request }.sorted { gaps[$0] > gaps[$1] }.prefix(mostRequests - 1))
        var merged: [Range<UInt64>] = []
        for (index, range) in needed.enumerated() {
            if let last = merged.last, !open.contains(index - 1) {
                merged[merged.count - 1] = last.lowerBound..<range.upperBound
            } else {
                merged.append(range)
            }
        }
        return merged
    }

    private static func split(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
        ranges.flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: Int(longestRange)).map { start in
                start..<min(range.upperBound, start + longestRange)
            }
        }
    }
}
