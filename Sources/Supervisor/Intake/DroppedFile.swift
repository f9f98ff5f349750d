import Glibc
import PatchFiles
import PatchModel

/// What lies in `incoming/` under a name that ends in `.zip`.
struct DroppedFile {
    /// What is to be done with it now.
    enum Readiness: Equatable {
        case complete
        /// It may still be growing; look again after that many seconds, or when an event comes.
        case growing(Double)
    }

    /// Bytes of a name to which those of sidecars and temporary files can still be added.
    static let longestName = 200

    let fileName: FileName
    let status: FileStatus
    /// Whether it was seen to be renamed in: whoever renames has written before.
    let cameByRename: Bool

    /// The name, where it is one that can be taken.
    var name: String { fileName.description }

    /// Names that are looked at; everything else is left alone.
    static func isCandidate(_ name: FileName) -> Bool { name.hasSuffix(".zip") && !name.hasPrefix(".") }

    /// Why it is refused without a look into it; nil for what may be an archive.
    var refusal: Refusal? {
        if fileName.text == nil {
            return Refusal(.entryName, "the file's name is not UTF-8; give it another one")
        }
        if fileName.bytes.count > Self.longestName {
            return Refusal(.limitExceeded, "a file's name has at most \(Self.longestName) bytes; give it a shorter one")
        }
        if status.kind != .file {
            return Refusal(.notAFile, "\"\(name)\" is no plain file; drop the archive itself")
        }
        return nil
    }

    /// The name under which it lies in `rejected/`, before it gets a number.
    var rejectedName: String {
        let isLong = name.utf8.count > Self.longestName
        return isLong ? String(decoding: name.utf8.prefix(64), as: UTF8.self) + ".zip" : name
    }

    var arrival: ArrivalOrder.Arrival { ArrivalOrder.Arrival(changed: status.changed, name: name, owner: status.uid) }

    /// Whether it can be taken (contract §3).
    ///
    /// - Parameters:
    ///   - file: it, as it was opened to be taken.
    ///   - settle: seconds without a change after which a file that is no archive is complete.
    ///   - once: nobody will look again: what nobody writes is complete, as is what was renamed in.
    func readiness(of file: borrowing File, settle: Double, once: Bool) throws(FileError) -> Readiness {
        let unwritten = file.nobodyWrites()
        if unwritten == false { return .growing(settle) }
        if once || cameByRename { return .complete }
        if try Self.endsAsArchive(file, size: status.size) { return .complete }
        return Self.rest(of: settle, since: status.changed).map(Readiness.growing) ?? .complete
    }

    /// Seconds that are left of those after a change, in nanoseconds since 1970; nil when they are over.
    static func rest(of settle: Double, since changed: Int64) -> Double? {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let age = Double(now.tv_sec) - Double(changed) / 1e9
        // A clock that was set back must not keep a file for ever.
        return age >= settle || age < -1 ? nil : settle - age
    }

    /// Whether an end record stands where its comment ends with the file. No more is believed of it here.
    private static func endsAsArchive(_ file: borrowing File, size: Int64) throws(FileError) -> Bool {
        let length = min(size, 22 + 65535)
        let tail = try file.read(at: size - length, limit: Int(length))
        guard tail.count >= 22 else { return false }
        for at in stride(from: tail.count - 22, through: 0, by: -1) where tail[at] == 0x50 {
            guard tail[at + 1] == 0x4b, tail[at + 2] == 5, tail[at + 3] == 6 else { continue }
            if at + 22 + Int(tail[at + 20]) + Int(tail[at + 21]) << 8 == tail.count { return true }
        }
        return false
    }
}
