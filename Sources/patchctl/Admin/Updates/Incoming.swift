import Glibc
import PatchFiles
import PatchModel

/// Drops archives into `incoming/` so that the daemon never sees half of one.
struct Incoming {
    let directories: Directories

    /// What was dropped: the name it got and its content's sum, by which jobs and refusals are known.
    struct Drop {
        let name: String
        let sha256: String
    }

    /// - Parameters:
    ///   - name: what the archive is called; it gets a number where that is taken.
    ///   - signature: nil for none.
    func drop(
        _ source: borrowing File, called name: String, options: UpdateOptions?, signature: [UInt8]?
    ) throws -> Drop {
        do throws(FileError) {
            return try copy(source, name, options: options, signature: signature)
        } catch {
            let hint =
                switch error.number {
                case EACCES, EPERM: "; members of group patchd may submit: \"adduser \(UserName.own) patchd\""
                case ENOENT where error.path.hasPrefix(directories.spoolDir): "; name the spool with --spool-dir"
                default: ""
                }
            throw Failure("cannot submit \"\(name)\": \(error)\(hint)")
        }
    }

    private func copy(
        _ source: borrowing File, _ wanted: String, options: UpdateOptions?, signature: [UInt8]?
    ) throws(FileError) -> Drop {
        let incoming = try Directory.open(directories.spoolDir + "/incoming")
        let name = try freeName(wanted, in: incoming)
        let temporary = ".\(name).tmp"
        let sidecars = [
            (name + SignatureFile.suffix, signature), (name + ".json", options?.strictJSON),
        ].compactMap { name, bytes in bytes.map { (name: name, bytes: $0) } }
        do throws(FileError) {
            // The daemon runs as another user, which must be able to read it.
            let copy = try incoming.createFile(temporary, mode: 0o640)
            let sha256 = try source.copy(to: copy)
            try copy.sync()
            for sidecar in sidecars { try incoming.replaceFile(sidecar.name, with: sidecar.bytes, mode: 0o640) }
            // The zip is the trigger, so it comes last.
            try incoming.renameNew(temporary, to: incoming, name)
            try incoming.sync()
            return Drop(name: name, sha256: sha256)
        } catch {
            try? incoming.remove(temporary)
            if (try? incoming.status(name)) == .some(nil) {
                for sidecar in sidecars { try? incoming.remove(sidecar.name) }
            }
            throw error
        }
    }

    /// The archive's own name, or with a number where that is taken.
    private func freeName(_ wanted: String, in incoming: borrowing Directory) throws(FileError) -> String {
        var stem = wanted
        if stem.lowercased().hasSuffix(".zip") { stem.removeLast(4) }
        while stem.hasPrefix(".") { stem.removeFirst() }
        if stem.isEmpty { stem = "update" }
        var number = 1
        while true {
            let name = number == 1 ? "\(stem).zip" : "\(stem)-\(number).zip"
            // Any file of the group counts: a sidecar that lies there already would be taken for this archive's.
            var isFree = true
            for taken in [name, ".\(name).tmp", name + ".json", name + SignatureFile.suffix] where isFree {
                isFree = try incoming.status(taken) == nil
            }
            if isFree { return name }
            number += 1
        }
    }
}
