import PatchFiles
import PatchJSON

/// `rejected/NAME.zip.reason.json`.
struct RejectionNote: Codable {
    var file: String
    var sha256: String
    var code: String
    var reason: String

    /// The names of all that are there; none where this user may not look.
    static func names(in directories: Directories) -> Set<String> {
        guard let rejected = try? Directory.open(directories.spoolDir + "/rejected") else { return [] }
        let names = (try? rejected.names()) ?? []
        return Set(names.filter { $0.hasSuffix(".reason.json") && !$0.hasPrefix(".") })
    }

    /// The first one of an archive that is not among those known before.
    static func new(of sha256: String, besides known: Set<String>, in directories: Directories) -> RejectionNote? {
        guard let rejected = try? Directory.open(directories.spoolDir + "/rejected") else { return nil }
        for name in names(in: directories).subtracting(known).sorted() {
            guard let bytes = try? rejected.readFile(name, limit: 1 << 20),
                let note = try? JSONText.read(RejectionNote.self, bytes), note.sha256 == sha256
            else { continue }
            return note
        }
        return nil
    }
}
