import Glibc
import PatchFiles
import Synchronization

/// Removes from the spool what nobody needs any more: answers that are a day old, and hidden files of that age, which are what
/// was moved aside or never finished. Once a minute, and a piece at a time.
final class SpoolSweep: Sendable {
    private struct Round: ~Copyable {
        /// What is still to be swept, the directory under way last.
        var places: [Int] = []
        var scan: DirectoryScan?
        var next = 0.0
    }

    /// Seconds from the end of one round to the next.
    private static let pause = 60.0
    private static let age: Int64 = 86_400 * 1_000_000_000

    /// The directories, and whether only hidden files go.
    private let places: [(path: String, onlyHidden: Bool)]
    private let round = Mutex(Round())

    init(_ places: [(path: String, onlyHidden: Bool)]) { self.places = places }

    /// Looks at the next piece, when it is time for one.
    func advance() throws(FileError) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let oldest = Int64(now.tv_sec) * 1_000_000_000 - Self.age
        try round.withLock { (round: inout Round) throws(FileError) in
            if round.places.isEmpty {
                guard MonotonicClock.seconds >= round.next else { return }
                round.next = MonotonicClock.seconds + Self.pause
                round.places = Array(places.indices)
            }
            var rest = SpoolScan.piece
            while rest > 0, let place = round.places.last {
                let directory = try Directory.open(places[place].path)
                var scan: DirectoryScan
                if let begun = round.scan.take() { scan = begun } else { scan = try DirectoryScan(directory) }
                let names = try scan.next(rest)
                for name in names where name.hasPrefix(".") == places[place].onlyHidden {
                    guard let text = name.text, let status = try directory.status(name), status.modified < oldest else {
                        continue
                    }
                    // What cannot be removed, such as a directory that holds something, harms nobody where it is.
                    if (try? directory.remove(text)) == nil { _ = try? directory.removeDirectory(text) }
                }
                if names.count < rest { round.places.removeLast() } else { round.scan = consume scan }
                rest -= names.count
            }
        }
    }
}
