import Glibc
import PatchFiles
import PatchModel
import PatchPlan

/// Puts an archive together from what archives that are kept have, and what the server gives in parts.
///
/// Why: docs/decisions/fetching.md#an-archive-is-put-together-from-compressed-bytes
struct LackingParts {
    /// Smaller archives are fetched as a whole.
    private static let worthwhile: UInt64 = 256 << 10
    /// Requests of one run of curl.
    private static let batch = 250

    let update: IndexedUpdate
    let curl: Curl
    let kept: KeptArchives

    var isWorthATry: Bool {
        update.url.scheme == .https && update.size >= Self.worthwhile && !kept.names.isEmpty
    }

    /// Nothing that a server says is believed: whether it is the archive, only its sum says.
    ///
    /// - Returns: false where it has to be fetched as a whole.
    /// - Throws: where the server is not there any more; the next run goes on with what has come.
    func put(into name: String, in directory: borrowing Directory) throws -> Bool {
        let place = "\(update.sha256).ranges"
        let parts = try PartStore(directory.ensureDirectory(place, mode: 0o750))
        let isDone = try assemble(parts, name, in: directory)
        try directory.removeTree(place)
        return isDone
    }

    private func assemble(_ parts: borrowing PartStore, _ name: String, in directory: borrowing Directory) throws
        -> Bool
    {
        let size = update.size
        let tail = (size - ArchiveEnd.reach)..<size
        var tag: String?
        guard try fetch([tail], to: parts, &tag), let end = ArchiveEnd(tail: try parts.bytes(of: tail), size: size),
            UInt64(end.directory.count) <= KeptArchives.longestDirectory
        else { return false }
        let held = min(tail.lowerBound, end.directory.lowerBound)
        let rest = held..<tail.lowerBound
        if !rest.isEmpty {
            guard try fetch([rest], to: parts, &tag) else { return false }
        }
        let known = try (rest.isEmpty ? [] : parts.bytes(of: rest)) + parts.bytes(of: tail)
        let directoryStart = Int(end.directory.lowerBound - held)
        guard
            let map = ArchiveMap(
                directory: Array(known[directoryStart..<directoryStart + end.directory.count]), end)
        else { return false }
        let plan = FetchPlan(map, held: held, kept: kept.find(Set(map.entries.map(\.content))))
        // Most of it is new: one request for all is better than many.
        guard plan.fetched < size / 10 * 9, try fetch(plan.ranges, to: parts, &tag) else { return false }

        try directory.remove(name)
        let archive = try directory.createFile(name, mode: 0o640)
        try archive.truncate(to: Int64(clamping: size))
        for range in plan.ranges + (rest.isEmpty ? [] : [rest]) + [tail] { try parts.put(range, into: archive) }
        for piece in plan.pieces {
            switch piece.source {
            case .bytes(let bytes): try archive.put(bytes, at: piece.place.lowerBound)
            case .kept(let name, let part):
                // It may have been removed since, as it is no longer kept.
                guard let source = try? kept.open(name),
                    (try? archive.put(from: source, part, at: piece.place.lowerBound)) != nil
                else { return false }
            }
        }
        return try archive.sha256() == update.sha256
    }

    /// Fetches what is lacking of these parts.
    ///
    /// - Parameter tag: the server's for the archive; nil before it said one. Parts of another one are of no use.
    /// - Returns: false where the server does not give parts, or others than those that it was asked for.
    private func fetch(_ ranges: [Range<UInt64>], to parts: borrowing PartStore, _ tag: inout String?) throws -> Bool {
        while true {
            var wanted: [(part: Range<UInt64>, lacking: Range<UInt64>)] = []
            for range in ranges where wanted.count < Self.batch {
                let lacking = try parts.lacking(of: range)
                if !lacking.isEmpty { wanted.append((range, lacking)) }
            }
            if wanted.isEmpty { return true }
            let answers = try curl.run(
                wanted.enumerated().map { index, part in
                    Curl.Request(
                        url: update.url, output: ".answer-\(index)", limit: UInt64(part.lacking.count),
                        range: part.lacking, tag: tag)
                }, in: parts.directory)
            var came: UInt64 = 0
            for (index, answer) in answers.enumerated() where answer.status != 0 {
                let asked = wanted[index].lacking
                let range = "bytes\(asked.lowerBound)-\(asked.upperBound - 1)/\(update.size)"
                guard answer.status == 206, answer.range == range else { return false }
                tag = tag ?? answer.tag
                came += try parts.add(".answer-\(index)", asked, of: wanted[index].part)
            }
            if answers.allSatisfy(\.isWhole) {
                // An empty answer that counts as whole would be asked for without end.
                if came == 0 { return false }
                continue
            }
            guard came >= Download.progress, answers.contains(where: \.isCut) else {
                throw Failure(
                    "cannot fetch \(update.url): \(answers.last?.message ?? ""); the next run goes on with what has come"
                )
            }
        }
    }
}
