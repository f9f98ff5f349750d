import PatchFiles
import PatchModel

/// Fetches an update, and drops it into the spool as anybody would who may submit.
struct Handover {
    let directories: Directories
    let reading: IndexReading
    let store: SourceStore

    /// What it is called in the spool.
    ///
    /// - Throws: ``Failure`` or ``Refusal``.
    func run(_ update: IndexedUpdate) throws -> String {
        // It is small, and without it the archive need not come.
        let signature = try reading.signature(at: update.signature)
        if signature == nil, reading.look.isRequired {
            throw Refusal(
                .signatureMissing, "this host takes signed archives only, and there is no \(update.signature)")
        }
        try compareSpace(update)
        let archive = try Download(update: update, curl: reading.curl, kept: KeptArchives(directories)).run(
            in: store.directory)
        let drop = try Incoming(directories: directories).drop(
            archive, called: "\(update.name)-\(update.version).zip", options: nil, signature: signature)
        try store.setHandedOver(update)
        return drop.name
    }

    /// It lies here first, and then in the spool.
    private func compareSpace(_ update: IndexedUpdate) throws {
        let incoming = try Directory.open(directories.spoolDir + "/incoming")
        let (own, spool) = (try store.directory.availableSpace(), try incoming.availableSpace())
        let part = try store.directory.allocatedSize("\(update.sha256).part")
        let isShared = try store.directory.status().device == incoming.status().device
        let needed = update.size - min(part, update.size)
        guard needed + (isShared ? update.size : 0) <= own, update.size <= spool else {
            throw Failure(
                "\(update.name) \(update.version) has \(update.size) bytes, of which \(needed) have to come, and then "
                    + "lies in the spool; \(own) are free in \(store.directory.path), \(spool) in \(incoming.path)")
        }
    }
}
