import Glibc
import PatchFiles
import PatchModel

/// Brings the archive of an update to `STATE/sources/<sha256>.part`, and does not end before it is that archive.
///
/// What breaks off goes on where it was: in this run as long as something comes, else in the next one.
struct Download {
    let update: IndexedUpdate
    let curl: Curl
    let kept: KeptArchives

    /// Bytes that have to come before it breaks off, or the rest is left to the next run.
    static let progress: UInt64 = 4 << 10

    private var name: String { update.sha256 + ".part" }

    /// The archive.
    ///
    /// - Throws: ``Failure``, status `refused` where the URL has something else.
    func run(in directory: borrowing Directory) throws -> File {
        let lacking = LackingParts(update: update, curl: curl, kept: kept)
        if try size(in: directory) == nil, lacking.isWorthATry {
            if try lacking.put(into: name, in: directory) { return try directory.file(name) }
            try directory.remove(name)
        }
        // What a run before this one left may be of an archive that was replaced since.
        var isOfOnePiece = try size(in: directory) == nil
        var isSecondTry = false
        while true {
            guard try fetch(in: directory, &isOfOnePiece) else {
                guard !isSecondTry else {
                    throw Failure("cannot fetch \(update.url): it breaks off, and the server does not give the rest")
                }
                isSecondTry = true
                isOfOnePiece = true
                continue
            }
            let archive = try directory.file(name)
            if try archive.sha256() == update.sha256 { return archive }
            try directory.remove(name)
            guard !isOfOnePiece, !isSecondTry else {
                throw Failure(
                    .refused, "\(update.url) has another archive than the one that the index announces (SHA-256)")
            }
            isSecondTry = true
            isOfOnePiece = true
        }
    }

    private func size(in directory: borrowing Directory) throws -> UInt64? {
        try directory.status(name).map { UInt64(clamping: $0.size) }
    }

    /// Fetches it, or the rest of it, for as long as something comes.
    ///
    /// - Returns: whether it has as many bytes as it should have; false where it has to be begun anew.
    private func fetch(in directory: borrowing Directory, _ isOfOnePiece: inout Bool) throws -> Bool {
        while true {
            let before = try size(in: directory) ?? 0
            if before == update.size { return true }
            guard before < update.size else {
                try directory.remove(name)
                return false
            }
            let request = Curl.Request(url: update.url, output: name, limit: update.size, continues: before > 0)
            let answer = try curl.run([request], in: directory)[0]
            let now = try size(in: directory) ?? 0
            if answer.isWhole, now == update.size { return true }
            if answer.isPartRefused, before > 0 {
                try directory.remove(name)
                return false
            }
            if answer.isWhole || answer.isTooLarge {
                try directory.remove(name)
                let size = answer.isTooLarge ? "more" : "\(now)"
                throw Failure(.refused, "\(update.url) has \(size) bytes; the index announces \(update.size)")
            }
            if answer.isElsewhere { throw Failure(.refused, "cannot fetch \(update.url): \(answer.message)") }
            guard answer.isCut, now >= before + Self.progress else {
                throw Failure("cannot fetch \(update.url): \(answer.message); the next run goes on with what has come")
            }
            isOfOnePiece = false
        }
    }
}
