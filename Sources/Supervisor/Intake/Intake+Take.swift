import Glibc
import PatchConfig
import PatchFiles
import PatchJSON
import PatchModel
import PatchStore

/// A drop becomes patchd's own. What was begun is found again after a kill: by its claim, else where it was dropped.
extension Intake {
    /// Copies a drop while hashing it and removes it; nil when it changed meanwhile.
    func take(_ file: DroppedFile) throws -> IntakeClaim? {
        let id = String(UInt64.random(in: .min ... .max), radix: 16)
        let intake = try context.state.directory("intake")
        try intake.makeDirectory(id)
        do {
            if let claim = try copy(file, to: id, in: intake) {
                try remove(claim)
                return claim
            }
        } catch {
            // What has its claim is gone on with.
            if (try? intake.status("\(id)/claim.json")) == .some(nil) { try? intake.removeTree(id) }
            throw error
        }
        try intake.removeTree(id)
        return nil
    }

    private func copy(_ file: DroppedFile, to id: String, in intake: borrowing Directory) throws -> IntakeClaim? {
        let incoming = try Directory.open(context.spool.incoming)
        guard let source = try? incoming.file(file.name), try source.status() == file.status else { return nil }
        if try waitsForSignature(of: file, in: incoming) != nil { return nil }
        try moveAsideStrangers(of: file, in: incoming)
        let options = try sidecar(of: file, in: incoming)
        if case .unreadable = options { return nil }
        let signature = try signature(of: file, in: incoming)
        if case .open = signature, isSignatureRequired { return nil }
        let own = try intake.directory(id)
        // Copied and unpacked it is there twice; what is to be left is for the jobs of all others.
        let (size, free) = (UInt64(file.status.size), try own.availableSpace())
        guard size <= free / 2 else {
            throw Fault(
                .space,
                "cannot take \(file.name): it has \(size) bytes, and \(free) are free below \(context.state.path), "
                    + "of which the half has to be left; make room, it is tried again")
        }
        let content = try own.ensureDirectory("content")
        let copy = try content.createFile("archive.zip")
        let sum = try source.copy(to: copy, upTo: file.status.size)
        try copy.sync()
        guard try source.status() == file.status else { return nil }
        var claim = IntakeClaim(
            id: id, file: file.name, device: file.status.device, inode: file.status.inode,
            changed: file.status.changed, modified: file.status.modified, owner: file.status.uid, sha256: sum,
            at: context.clocks.now)
        switch options {
        case .none, .unreadable: break
        case .content(let options): try own.replaceFile("options.json", with: options)
        case .bad(let problem): claim.badOptions = problem
        }
        try store(signature, of: &claim, in: own)
        try content.sync()
        try own.replaceFile("claim.json", with: JSONText.page(claim))
        try intake.sync()
        return claim
    }

    /// What lies beside a drop as its options.
    private enum Sidecar {
        case none
        case content([UInt8])
        case bad(String)
        /// Its owner keeps it from being read for now.
        case unreadable
    }

    /// What a user has put beside another's drop who may not command is moved aside; that of an approver may be meant, so that
    /// nothing is done without it.
    func moveAsideStrangers(of file: DroppedFile, in incoming: borrowing Directory) throws(FileError) {
        for suffix in [".json", SignatureFile.suffix] {
            let name = file.name + suffix
            guard let found = try incoming.status(name), found.uid != file.status.uid,
                context.authorization.commands(of: found.uid) == .none
            else { continue }
            try moveAside(name, of: found.uid, in: incoming)
        }
    }

    /// Only who drops an archive says what becomes of it, and nothing is read that is not his.
    private func sidecar(of file: DroppedFile, in incoming: borrowing Directory) throws(FileError) -> Sidecar {
        let name = file.name + ".json"
        let limit = context.configuration.daemon.limits.manifest
        guard let found = try incoming.status(name) else { return .none }
        guard found.kind == .file else { return .bad("\"\(name)\" is no plain file") }
        guard found.uid == file.status.uid else {
            return .bad(
                "\"\(name)\" is \(UserDatabase.text(of: found.uid))'s; options count from who drops the archive, so use "
                    + "another name")
        }
        guard found.size <= limit else { return .bad("\"\(name)\" has more than \(limit) bytes") }
        do throws(FileError) {
            let source = try incoming.file(name)
            guard try source.status() == found else { return .unreadable }
            return .content(try source.read(limit: limit))
        } catch {
            switch error.number {
            case ENOENT: return .none
            case EAGAIN: return .unreadable
            case ELOOP, ENXIO: return .bad("\"\(name)\" is no plain file")
            default: throw error
            }
        }
    }

    private func moveAside(_ name: String, of uid: UInt32, in incoming: borrowing Directory) throws(FileError) {
        do throws(FileError) {
            // One of each user's and name: however often he puts one there, no more are left.
            try incoming.rename(name, to: incoming, ".refused-\(uid)-\(name)")
        } catch {
            if error.number == ENOENT { return }
            try incoming.rename(name, to: incoming, ".refused-\(UInt64.random(in: .min ... .max))")
        }
    }

    /// Removes the drop that a claim stands for, and no other that came under its name since.
    func remove(_ claim: IntakeClaim) throws(FileError) {
        let incoming = try Directory.open(context.spool.incoming)
        let hidden = ".\(claim.file).\(claim.id)"
        if try incoming.status(hidden) == nil, let found = try incoming.status(claim.file),
            found.device == claim.device, found.inode == claim.inode
        {
            do throws(FileError) { try incoming.rename(claim.file, to: incoming, hidden) } catch {
                if error.number != ENOENT { throw error }
            }
        }
        if let found = try incoming.status(hidden) {
            if found.device == claim.device, found.inode == claim.inode {
                for suffix in [".json", SignatureFile.suffix] {
                    try removeSidecar(claim.file + suffix, of: claim, in: incoming)
                }
                try incoming.remove(hidden)
            } else {
                try putBack(hidden, of: claim, in: incoming)
            }
        }
        try incoming.sync()
    }

    /// What is another user's, or no file, stays: it was not taken.
    private func removeSidecar(_ name: String, of claim: IntakeClaim, in incoming: borrowing Directory)
        throws(FileError)
    {
        guard let found = try incoming.status(name), found.kind != .directory,
            belongs(FileName(name), of: found.uid, to: claim.owner ?? found.uid)
        else { return }
        do throws(FileError) { try incoming.remove(name) } catch {
            // A directory since.
            if error.number != EISDIR, error.number != EPERM { throw error }
        }
    }

    /// Gives its name back to what was put in the place of what was taken, or another where that is taken by now.
    private func putBack(_ hidden: String, of claim: IntakeClaim, in incoming: borrowing Directory) throws(FileError) {
        do throws(FileError) { try incoming.renameNew(hidden, to: incoming, claim.file) } catch {
            guard error.number == EEXIST else { throw error }
            try incoming.renameNew(hidden, to: incoming, "\(claim.id).zip")
        }
    }
}
