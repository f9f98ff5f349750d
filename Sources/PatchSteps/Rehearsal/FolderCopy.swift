import Glibc
import PatchFiles
import PatchModel

/// Copies a folder so that programs can be tried in it: its files, without what lies there for patchd alone, without its
/// database, and without what is no file (sockets, pipes).
struct FolderCopy {
    /// Why there is no copy.
    struct Obstacle: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    let limit: UInt64
    /// Relative to the folder.
    let leftOut: Set<ExactText>
    /// Asked between two files.
    let shouldEnd: () -> Bool

    /// Fills an empty directory on the same file system.
    ///
    /// - Throws: ``Obstacle``, also when it was asked to end.
    func make(of folder: borrowing Directory, in copy: borrowing Directory) throws(Obstacle) {
        try translating { () throws(FileError) in
            let mount = try folder.mount()
            var found = Found()
            try look(folder, "", mount, &found)
            if let place = found.mount { return Obstacle("something is mounted at \(place) in the folder") }
            let isShared = try canShare(in: copy)
            guard isShared || found.bytes <= limit else {
                return Obstacle(
                    "the folder has \(found.bytes >> 20) MiB, and limits.rehearsal allows \(limit >> 20) MiB to be copied"
                )
            }
            let needed = found.bytes + found.bytes / 20 + (1 << 20)
            let free = try copy.availableSpace()
            guard isShared || free >= needed else {
                return Obstacle("\(needed >> 20) MiB are needed for a copy of the folder, and fewer are free")
            }
            try fill(copy, from: folder, "")
            return nil
        }
    }

    private func translating(_ body: () throws(FileError) -> Obstacle?) throws(Obstacle) {
        let obstacle: Obstacle?
        do throws(FileError) { obstacle = try body() } catch {
            throw Obstacle("the folder cannot be copied: \(error)")
        }
        if let obstacle { throw obstacle }
        if shouldEnd() { throw Obstacle("the worker was asked to stop") }
    }

    private struct Found {
        var bytes: UInt64 = 0
        var mount: String?
    }

    private func look(
        _ directory: borrowing Directory, _ path: String, _ mount: UInt64, _ found: inout Found
    ) throws(FileError) {
        for name in try names(in: directory, path) where !shouldEnd() {
            guard let status = try directory.status(name) else { continue }
            let place = path.isEmpty ? name : path + "/" + name
            if status.kind == .file { found.bytes += UInt64(max(0, status.size)) }
            guard status.kind == .directory || status.kind == .file else { continue }
            if try directory.isMountPoint(name) {
                found.mount = place
                return
            }
            guard status.kind == .directory else { continue }
            let inside = try directory.directory(name)
            guard try inside.mount() == mount else {
                found.mount = place
                return
            }
            try look(inside, place, mount, &found)
            if found.mount != nil { return }
        }
    }

    private func names(in directory: borrowing Directory, _ path: String) throws(FileError) -> [String] {
        try directory.names().filter { name in
            let place = path.isEmpty ? name : path + "/" + name
            return place != WorkArea.name && !leftOut.contains(ExactText(place))
        }
    }

    /// Whether the file system can give two files the same blocks.
    private func canShare(in directory: borrowing Directory) throws(FileError) -> Bool {
        let names = [".patchd-shared-1", ".patchd-shared-2"]
        defer { for name in names { try? directory.remove(name) } }
        let source = try directory.createFile(names[0])
        try source.write([1])
        return try directory.createFile(names[1]).shareBlocks(of: source)
    }

    private func fill(_ copy: borrowing Directory, from original: borrowing Directory, _ path: String) throws(FileError)
    {
        for name in try names(in: original, path) where !shouldEnd() {
            guard let status = try original.status(name) else { continue }
            let place = path.isEmpty ? name : path + "/" + name
            switch status.kind {
            case .file:
                let source = try original.file(name)
                let file = try copy.createFile(name)
                if try !file.shareBlocks(of: source) { _ = try source.copy(to: file) }
                finish(file, like: status)
                try? file.copyAttributes(from: source)
            case .link:
                let target = try original.linkTarget(name)
                guard symlinkat(target, copy.descriptor, name) == 0 else { throw FileError("create link", place) }
                _ = fchownat(copy.descriptor, name, status.uid, status.gid, AT_SYMLINK_NOFOLLOW)
            case .directory:
                _ = try copy.makeDirectory(name)
                let inside = try copy.directory(name)
                let source = try original.directory(name)
                try fill(inside, from: source, place)
                // Last: it may be one in which its owner may not write.
                _ = fchown(inside.descriptor, status.uid, status.gid)
                _ = fchmod(inside.descriptor, mode_t(status.mode))
            case .other: continue
            }
        }
    }

    /// As far as this process may.
    private func finish(_ file: borrowing File, like status: FileStatus) {
        _ = fchown(file.descriptor, status.uid, status.gid)
        _ = fchmod(file.descriptor, mode_t(status.mode))
    }
}
