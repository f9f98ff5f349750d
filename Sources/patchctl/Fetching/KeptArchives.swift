import PatchFiles
import PatchPlan

/// `STATE/archives/`: what of a new archive is here already. One that cannot be read here is of no use.
struct KeptArchives {
    /// Bytes of a central directory that are read.
    static let longestDirectory: UInt64 = 64 << 20

    let place: String

    init(_ directories: Directories) { place = directories.stateDir + "/archives" }

    /// The sums of those that are kept.
    var names: [String] {
        ((try? Directory.open(place).names()) ?? []).filter { !$0.hasPrefix(".") }
    }

    /// An archive that is kept.
    func open(_ name: String) throws(FileError) -> File {
        try Directory.open(place).file("\(name)/archive.zip")
    }

    /// Which of these contents are kept, and where.
    func find(_ wanted: Set<ArchiveContent>) -> [ArchiveContent: KeptContent] {
        var found: [ArchiveContent: KeptContent] = [:]
        for name in names where found.count < wanted.count {
            guard let archive = try? open(name), let map = try? Self.map(of: archive) else { continue }
            for entry in map.entries where wanted.contains(entry.content) && found[entry.content] == nil {
                guard let header = try? Self.header(at: Int64(clamping: entry.offset), in: archive) else { continue }
                found[entry.content] = KeptContent(archive: name, entry: entry, header: header)
            }
        }
        return found
    }

    private static func map(of archive: borrowing File) throws(FileError) -> ArchiveMap? {
        let size = UInt64(clamping: try archive.status().size)
        let reach = min(size, ArchiveEnd.reach)
        let tail = try archive.read(at: Int64(clamping: size - reach), limit: Int(reach))
        guard let end = ArchiveEnd(tail: tail, size: size), UInt64(end.directory.count) <= longestDirectory else {
            return nil
        }
        let directory = try archive.read(
            at: Int64(clamping: end.directory.lowerBound), limit: end.directory.count)
        return ArchiveMap(directory: directory, end)
    }

    private static func header(at offset: Int64, in archive: borrowing File) throws(FileError) -> [UInt8] {
        let fixed = try archive.read(at: offset, limit: KeptContent.fixedHeader)
        return try archive.read(at: offset, limit: KeptContent.length(ofHeader: fixed))
    }
}
