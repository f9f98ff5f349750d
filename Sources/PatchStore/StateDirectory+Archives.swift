import PatchFiles
import PatchModel

extension StateDirectory {
    /// `archives/<sha256>`, relative to the state directory.
    public static func place(ofArchive sha256: String) -> String { "archives/\(sha256)" }

    /// What checking an archive found; nil when it is not kept.
    public func contents(ofArchive sha256: String) throws(StoreError) -> CheckedUpdate? {
        try read(CheckedUpdate.self, Self.place(ofArchive: sha256) + "/contents.json")
    }

    /// Writes what checking found; `place` is relative to the state directory.
    public func write(_ update: CheckedUpdate, in place: String) throws(StoreError) {
        try write(update, place + "/contents.json", mode: 0o600)
    }

    /// The checked tree of an archive.
    public func tree(ofArchive sha256: String) throws(StoreError) -> Directory {
        try directory(Self.place(ofArchive: sha256) + "/tree")
    }
}
