import PatchJSON
import PatchModel

@testable import Supervisor

/// Every JSON file of an archive, and a folder's registry: what is read is written so that the same is read again.
enum ManifestTarget {
    static func run(_ bytes: [UInt8]) throws {
        if let value = try? StrictJSON.parse(bytes) {
            try hold((try? StrictJSON.parse(value.serialized)) == value, "JSON is not read again as it was written")
        }
        if let manifest = try? Manifest(strictJSON: bytes) {
            let again = try? JSONText.read(Manifest.self, JSONText.line(manifest))
            try hold(again == manifest, "a manifest is not read again as it was written")
        }
        if let data = try? PatchData.list(strictJSON: bytes, file: "datafiles.json") {
            let again = try? JSONText.read([PatchData].self, JSONText.line(data))
            try hold(again == data, "datafiles.json is not read again as it was written")
        }
        _ = try? PatchCommand.list(strictJSON: bytes, file: "jobs.json")
        if let registry = try? DataRegistry(text: bytes.text) {
            try hold((try? DataRegistry(text: registry.text)) == registry, "a registry is not read as it was written")
        }
    }
}

/// `NAME.zip.json`.
enum OptionsTarget {
    static func run(_ bytes: [UInt8]) throws {
        guard let options = try? UpdateOptions(strictJSON: bytes) else { return }
        let again = try? UpdateOptions(strictJSON: options.strictJSON)
        try hold(again == options, "options are not read again as they were written")
    }
}

/// A file in `requests/`.
enum RequestTarget {
    static func run(_ bytes: [UInt8]) {
        _ = AdminRequest.word(bytes)
        guard let request = try? AdminRequest(bytes, file: "request.json") else { return }
        _ = (request.job, request.place, request.named, request.command)
    }
}
