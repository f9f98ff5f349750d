import PatchFiles
import Synchronization

/// Looks through one of the spool's directories a piece at a time, and keeps of each user's entries the oldest: anybody may
/// fill it with hundreds of thousands.
final class SpoolScan: Sendable {
    struct Entry: Sendable {
        let name: FileName
        let status: FileStatus

        /// The older one is smaller.
        static func isOlder(_ one: Entry, than other: Entry) -> Bool {
            (one.status.changed, one.name) < (other.status.changed, other.name)
        }
    }

    /// The oldest entries by user, oldest first.
    typealias Found = [UInt32: [Entry]]

    private struct Round: ~Copyable {
        var scan: DirectoryScan
        var found: Found = [:]
    }

    /// Names that are looked at without a pause.
    static let piece = 4096
    /// Entries of one user that are kept of a round.
    static let most = 1024

    private let path: String
    private let isEntry: @Sendable (FileName) -> Bool
    private let round = Mutex<Round?>(nil)

    /// - Parameter isEntry: whether a name is one to look at.
    init(_ path: String, isEntry: @escaping @Sendable (FileName) -> Bool) {
        self.path = path
        self.isEntry = isEntry
    }

    /// Looks at the next piece.
    ///
    /// - Returns: what was found when the directory has been seen to its end; nil before that.
    func advance() throws(FileError) -> Found? {
        try round.withLock { (round: inout Round?) throws(FileError) -> Found? in
            let directory = try Directory.open(path)
            var current: Round
            if let begun = round.take() { current = begun } else { current = Round(scan: try DirectoryScan(directory)) }
            let names = try current.scan.next(Self.piece)
            for name in names where isEntry(name) {
                guard let status = try directory.status(name) else { continue }
                current.found[status.uid, default: []].append(Entry(name: name, status: status))
                // Now and then, so that it costs little.
                if let count = current.found[status.uid]?.count, count >= 2 * Self.most {
                    current.found[status.uid]?.sort(by: Entry.isOlder)
                    current.found[status.uid]?.removeLast(count - Self.most)
                }
            }
            if names.count < Self.piece {
                return current.found.mapValues { Array($0.sorted(by: Entry.isOlder).prefix(Self.most)) }
            }
            round = consume current
            return nil
        }
    }
}
