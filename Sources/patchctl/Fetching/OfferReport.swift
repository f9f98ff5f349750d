import PatchJSON
import PatchModel
import PatchPlan

/// What `check-updates` prints.
struct OfferReport: Encodable {
    struct Update: Encodable {
        let source: String
        let name: String
        let version: Version
        let dependency: Version
        let size: UInt64
        let sha256: String
        let endpoints: [String]
        /// What it is called in the spool; nil where it was not fetched.
        @OrNull var file: String?

        init(_ offer: Offer, from source: UpdateSource) {
            self.source = source.url.description
            (name, version, dependency) = (offer.update.name, offer.update.version, offer.update.dependency)
            (size, sha256, endpoints) = (offer.update.size, offer.update.sha256, offer.endpoints)
        }
    }

    let schema = 1
    var updates: [Update] = []

    func print(json: Bool) throws {
        if json { return try Output.json(self) }
        if updates.isEmpty { return }
        let rows = updates.map { update in
            [
                update.name, update.version.description, update.endpoints.joined(separator: " "), "\(update.size)",
                update.file.map { "in the spool as \($0)" } ?? "new", update.source,
            ]
        }
        Output.table([["UPDATE", "VERSION", "FOR", "BYTES", "STATE", "SOURCE"]] + rows)
    }
}
