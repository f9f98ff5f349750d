import PatchFiles
import PatchModel

/// Reads the index of a source as it is now: fetched, signed by whom this host believes, and no older than before.
struct IndexReading {
    /// Seconds that an index or a signature may take.
    static let patience = 300

    let curl: Curl
    let look: SignatureLook
    let store: SourceStore?

    /// What the source offers.
    ///
    /// - Throws: ``Failure``, status `refused` where the index is not to be believed.
    func read(_ source: UpdateSource) throws -> UpdateIndex {
        let scratch = try Scratch()
        let answer = try curl.run(
            [
                Curl.Request(
                    url: source.url, output: "index", limit: UInt64(UpdateIndex.limit), patience: Self.patience)
            ], in: scratch.directory)[0]
        guard answer.isWhole, !answer.isTooLarge else { throw Self.failure(source.url, answer) }
        let file = try scratch.directory.file("index")
        do {
            if look.isRequired {
                guard let url = source.url.signature else {
                    throw Failure(.refused, "the URL \(source.url) is too long for the name of its signature")
                }
                _ = try look.signer(
                    of: file, try signature(at: url), called: source.url.description, try Worker())
            }
            return try accepted(try file.read(limit: UpdateIndex.limit + 1), of: source)
        } catch let refusal as Refusal {
            throw Failure(.refused, "the index \(source.url) is refused: \(refusal)")
        }
    }

    /// A signature; nil where there is none.
    func signature(at url: SourceURL) throws -> [UInt8]? {
        let scratch = try Scratch()
        let answer = try curl.run(
            [
                Curl.Request(
                    url: url, output: "signature", limit: UInt64(SignatureFile.limit), patience: Self.patience)
            ], in: scratch.directory)[0]
        if answer.isMissing { return nil }
        guard answer.isWhole else { throw Self.failure(url, answer) }
        return try scratch.directory.readFile("signature", limit: SignatureFile.limit)
    }

    /// Whom this host believes is asked before any of it is read.
    private func accepted(_ bytes: [UInt8], of source: UpdateSource) throws -> UpdateIndex {
        let index = try UpdateIndex(strictJSON: bytes, at: source.url)
        guard let store else { return index }
        if let last = try store.lastIndex(of: source) {
            let earlier: UpdateIndex
            do throws(Refusal) { earlier = try UpdateIndex(strictJSON: last, at: source.url) } catch {
                throw Failure(
                    "the last index of \(source.url) in \(store.place(of: source)) cannot be read (\(error)): which "
                        + "serial it had is not known; remove it to believe the next one whatever it has")
            }
            try index.check(after: earlier, isSame: last == bytes)
            if last == bytes { return index }
        }
        try store.keep(bytes, of: source)
        return index
    }

    private static func failure(_ url: SourceURL, _ answer: Curl.Answer) -> Failure {
        if answer.isTooLarge { return Failure(.refused, "\(url) has more bytes than what it should be can have") }
        return Failure(answer.isElsewhere ? .refused : .failed, "cannot fetch \(url): \(answer.message)")
    }
}

extension Curl.Answer {
    /// Whether it was led to something that is no `https:`, or round in circles.
    var isElsewhere: Bool { exit == 1 || exit == 47 }
}
